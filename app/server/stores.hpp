// The data directory opened with every component's schema: the one place that knows them all.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "core/result.hpp"
#include "storage/store.hpp"

namespace postern::server {

Result<std::unique_ptr<storage::Store>> open_store(const config::Settings& settings);

}  // namespace postern::server
