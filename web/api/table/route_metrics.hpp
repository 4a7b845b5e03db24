// Answered requests by route and status, and how long answers take. Thread-safe.
#pragma once

#include <chrono>
#include <string_view>

#include "web/http/message.hpp"

namespace postern::web {

/// `route`: its name, or "none" for what is no route; never what the client wrote.
void count_answer(std::string_view route, Method method, unsigned status,
                  std::chrono::duration<double> took);

}  // namespace postern::web
