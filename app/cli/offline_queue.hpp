// `queue list --data DIR`: the queue of a server that doesn't run, read-only.
#pragma once

#include <functional>
#include <string>

#include "app/cli/context.hpp"

namespace postern::cli {

void list_queue_offline(Context& context, const std::string& data, std::size_t limit,
                        const std::function<void(const boost::json::value&)>& print);

}  // namespace postern::cli
