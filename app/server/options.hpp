// From the operator's settings to what each part takes.
#pragma once

#include <memory>

#include "accounts/authenticator.hpp"
#include "accounts/password.hpp"
#include "config/settings.hpp"
#include "core/dns/resolver.hpp"
#include "core/outbound/options.hpp"
#include "imap/options.hpp"
#include "smtp/delivery/settings.hpp"
#include "smtp/reception/environment.hpp"
#include "smtp/server/config.hpp"
#include "web/access/access_control.hpp"

namespace postern::server {

dns::Options resolver_options(const config::Settings& settings);
accounts::PasswordPoolOptions password_options(const config::Settings& settings);
accounts::AuthenticatorOptions authenticator_options(const config::Settings& settings);
smtp::delivery::DeliverySettings delivery_settings(const config::Settings& settings);
smtp::reception::Policy reception_policy(const config::Settings& settings);
/// `kind`: mx, submission or submissions.
smtp::ServerConfig smtp_config(const config::Settings& settings, config::ListenKind kind,
                               std::shared_ptr<const tls::Context> tls,
                               std::shared_ptr<smtp::ByteBudget> budget);
imap::Options imap_options(const config::Settings& settings,
                           std::function<std::shared_ptr<const tls::Context>()> tls);
/// Errc::io when the log file can't be opened: the log stays as it was.
Result<void> configure_log(const config::Settings& settings);

web::AccessOptions access_options(const config::Settings& settings);
/// Throws for a network or proxy that checking the settings lets nobody have: without it requests
/// would go another way than the operator said.
OutboundOptions outbound_options(const config::Settings& settings);

}  // namespace postern::server
