// The API as an Application: every request takes the same steps here, whatever it is.
//
//   route -> caller -> may they? -> within their limits? -> valid? -> handler -> headers
//
// Owner: app; outlives the sessions. One for each route table.
#pragma once

#include <span>

#include "web/api/table/route.hpp"
#include "web/http/application.hpp"
#include "web/services.hpp"

namespace postern::web {

class Api final : public Application {
 public:
  Api(Services& services, std::span<const Route> routes) : services_(&services), routes_(routes) {}
  Task<Response> answer(Request request) override;

 private:
  Task<Response> serve(const Route& route, Request request);

  Services* services_;
  std::span<const Route> routes_;
};

}  // namespace postern::web
