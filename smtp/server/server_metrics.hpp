// What the SMTP server counts. Every name begins with postern_smtp_server_.
#pragma once

#include <cstdint>
#include <string_view>

#include "smtp/backend.hpp"

namespace postern::smtp::server_metrics {

enum class Outcome : std::uint8_t { accepted, refused };

void connection_opened(Kind kind);
void connection_closed(Kind kind);
void command(std::string_view verb);  ///< a verb of the dispatch table, else it counts as "other"
void reply(int code);
void message(Outcome outcome, std::uint64_t octets);
void login(Outcome outcome);
void tls_handshake(Outcome outcome);

}  // namespace postern::smtp::server_metrics
