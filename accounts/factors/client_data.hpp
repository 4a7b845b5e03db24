// CollectedClientData (Web Authentication Level 3 §5.8.1): what the browser says it signed for.
#pragma once

#include <string_view>

#include "accounts/factors/webauthn.hpp"
#include "core/result.hpp"

namespace postern::accounts::webauthn {

inline constexpr std::string_view kTypeCreate = "webauthn.create";
inline constexpr std::string_view kTypeGet = "webauthn.get";

/// §7.1 steps 5 to 11, §7.2 steps 8 to 14: strict JSON, and type, challenge and origin as they
/// should be, not from a frame of another origin. Members that nobody knows yet are passed over, as
/// the standard asks.
Result<void> check_client_data(const Ceremony& ceremony, std::string_view type,
                               std::string_view client_data_json);

}  // namespace postern::accounts::webauthn
