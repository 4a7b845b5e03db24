// `postern audit verify --data DIR`: from the files, read-only, with or without a server running.
#pragma once

#include <functional>
#include <string>

#include "app/cli/context.hpp"

namespace postern::cli {

void verify_audit_offline(Context& context, const std::string& data,
                          const std::function<void(const boost::json::value&)>& print);

}  // namespace postern::cli
