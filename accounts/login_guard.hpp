// Slows down the guessing of passwords, over all doors together.
//
// Two counts, each of *different* guesses, since a telephone that repeats an old password is no
// attack: by login name and network, and by network alone (over all names). A network is an IPv4
// address or an IPv6 /64, what one customer has. Beyond a limit the pair, or the network, is shut
// out for a time that doubles at each further shutting. Nobody is shut out elsewhere by what a
// stranger does: a mailbox can't be locked from outside. A network from which a name lately logged
// in has a larger limit for that name, and isn't hurt by the network's count: one office, many
// users.
//
// Names are counted as they come, whether or not such an account exists. Guesses are kept as HMACs
// under a key of this process. In memory only, bounded; the least recently seen go first.
// Thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.hpp"
#include "core/time.hpp"

namespace postern::accounts {

struct LoginLimits {
  std::uint32_t guesses = 10;           ///< by name and network
  std::uint32_t known_guesses = 50;     ///< the same, where the name lately logged in
  std::uint32_t network_guesses = 100;  ///< by network, over all names
  Micros first_block = std::chrono::minutes(1);
  Micros longest_block = std::chrono::hours(1);
  Micros window = std::chrono::hours(24);    ///< after the first guess; then counts begin anew
  Micros known_for = std::chrono::days(14);  ///< how long "lately" is
  std::size_t entries = 100'000;             ///< counts kept, of each kind
  std::uint32_t refusals_recorded = 300;     ///< in a minute
};

class LoginGuard {
 public:
  explicit LoginGuard(const LoginLimits& limits);
  ~LoginGuard();
  LoginGuard(const LoginGuard&) = delete;
  LoginGuard& operator=(const LoginGuard&) = delete;

  /// Until when this name is shut out from there, if it is.
  std::optional<Timestamp> blocked_until(std::string_view login, const asio::ip::address& from,
                                         Timestamp now);
  /// What a wrong password led to.
  struct Guess {
    bool counted = false;          ///< not the repeat of one
    bool login_blocked = false;    ///< the one too many: this name is shut out from there
    bool network_blocked = false;  ///< the same for every name
  };
  Guess failed(std::string_view login, const asio::ip::address& from, std::string_view guess,
               Timestamp now);
  void succeeded(std::string_view login, const asio::ip::address& from, Timestamp now);

  /// What a right password led to.
  enum class Right : std::uint8_t { admitted, suspended };
  /// Whether that goes on record: once in `interval` of each name and network.
  bool tell(Right what, std::string_view login, const asio::ip::address& from, Timestamp now,
            Micros interval);
  /// It couldn't be recorded: the next one should be.
  void not_told(Right what, std::string_view login, const asio::ip::address& from);
  /// Whether this guess goes on record: not a repeat, and of all names from everywhere no more than
  /// LoginLimits::refusals_recorded in a minute, or strangers would fill the disk. One that began a
  /// block does in any case.
  bool goes_on_record(const Guess& guess, Timestamp now);

  struct Block {
    std::string login;  ///< empty: the whole network
    std::string network;
    Timestamp until;
  };
  /// Those in force, the longest first.
  std::vector<Block> blocks(Timestamp now) const;
  /// Ends the blocks of a login name or of a network (as blocks() writes it); how many there were.
  std::size_t unblock(std::string_view login_or_network, Timestamp now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "192.0.2.1", or "2001:db8:1:2::/64". IPv4 in IPv6 is IPv4.
std::string network_of(const asio::ip::address& address);

}  // namespace postern::accounts
