// What the files of a data directory hold of one tenant and its people: read beside the server,
// by table and column names alone, so that a table made tomorrow is looked at too.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/audit/record.hpp"

namespace postern::test {

/// Rows in text, sorted, by "control.db/accounts".
using Dump = std::map<std::string, std::vector<std::string>>;

/// Rows whose tenant_id is the tenant's, and those whose person_id is one of the people's, and the
/// people's own; ids in text form. Tables of `but` (without the file's name) are left out.
Dump dump_of(const std::filesystem::path& data, const std::string& tenant,
             const std::vector<std::string>& people, const std::set<std::string>& but = {});

/// How many audit records there are of an action, in all chains.
std::size_t records_of(const std::filesystem::path& data, std::string_view action,
                       accounts::audit::Outcome outcome);

}  // namespace postern::test
