// What answers the requests of a listener: the session's only view of everything above HTTP.
#pragma once

#include "core/task.hpp"
#include "web/http/message.hpp"

namespace postern::web {

class Application {
 public:
  virtual ~Application() = default;
  /// Never throws for what a request says. Called on the session's io thread, once a request.
  virtual Task<Response> answer(Request request) = 0;
};

}  // namespace postern::web
