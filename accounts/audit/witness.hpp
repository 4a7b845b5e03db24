// Statements about the chains' ends, signed and kept where the server's database isn't: whoever
// edits the database with the server's own keys can't make it agree with them again.
//
// The file has one JSON object a line:
//   {"at":MICROSECONDS,"heads":[{"chain":HEX,"mac":HEX,"number":N},...],"previous":HEX,
//    "signature":BASE64}
// `previous` is the SHA-256 of the line before (without its line feed; 64 zeros in the first line),
// so lines can't be taken out of the middle. The signature is Ed25519 over the canonical encoding
// (encoder.hpp) of label, time, previous, and each head. Only the end of the file can be lost
// unseen; copies elsewhere show that. A line that a crash cut short stays where it is: the next
// line is linked to it and so tells that the server saw it.
//
// Deliberately missing: where copies of the file go, and when statements are made (the caller's).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/verify.hpp"

namespace postern::accounts::audit {

inline constexpr std::size_t kMaxStatement = std::size_t{16} << 20;  ///< bytes of a line

struct ChainEnd {
  TenantId chain;
  std::uint64_t number = 0;  ///< of the newest record
  std::string mac;           ///< of that record
};

struct Heads {
  Timestamp at;
  std::vector<ChainEnd> ends;
};

/// A signed line of the file.
struct Statement {
  Heads heads;
  std::string previous;   ///< 32 raw bytes
  std::string signature;  ///< 64 raw bytes
};

/// The ends of all chains as they are now, but for closed ones. Errc::corrupt when a head isn't
/// genuine: nothing false is ever signed.
Result<Heads> collect_heads(sql::Transaction& tx, const Chain& chain, Timestamp now);

std::string encode_heads(const Heads& heads, std::string_view previous);
std::string statement_line(const Statement& statement);  ///< without a line feed
/// Strict: exactly what statement_line() writes. Errc::corrupt, Errc::too_large.
Result<Statement> parse_statement(std::string_view line);

/// Makes the file (0600) when it isn't there; on disk when it returns. Blocking; one process at a
/// time (others wait).
Result<void> append_statement(const std::string& path, const Heads& heads, const WitnessKey& key);

/// The newest statement of the file, whatever a crash cut short after it; nullopt: none yet. Reads
/// the file's end alone. Errc::corrupt when there is something else there, or another key's
/// statement.
Result<std::optional<Statement>> last_statement(const std::string& path, const PublicKey& key);

enum class StatementProblem : std::uint8_t {
  malformed,      ///< neither a statement nor a line cut short that the next one is linked to
  bad_signature,  ///< edited, or signed with another key
  broken_link,    ///< the line before isn't the one it was: edited, or lines are missing
};
std::string_view to_string(StatementProblem problem);

struct StatementsReport {
  struct Finding {
    std::uint64_t line = 0;
    StatementProblem problem{};
  };
  std::uint64_t statements = 0;
  std::uint64_t torn = 0;         ///< lines that crashes cut short
  std::vector<Finding> findings;  ///< at most kMaxFindings
  [[nodiscard]] bool sound() const { return findings.empty(); }
};

/// Reads the file, in memory of one line, as far as its first `bytes`: what is added meanwhile may
/// be newer than a snapshot of the database. `sink` gets every statement whose signature holds.
Result<StatementsReport> verify_statements(
    const std::string& path, const PublicKey& key,
    const std::function<void(const Statement&)>& sink,
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max());

enum class Contradiction : std::uint8_t {
  record_missing,       ///< the record that was the newest isn't there
  mac_differs,          ///< it is there, but not as it was
  chain_missing,        ///< removed without a closing
  head_altered,         ///< where the chain begins and ends can't be believed
  closing_missing,      ///< closed, but no record says so
  closing_unsigned,     ///< the closing's signature isn't this key's
  closing_contradicts,  ///< the closing tells another end
};
std::string_view to_string(Contradiction contradiction);

struct WitnessCheck {
  struct Finding {
    Timestamp stated;
    TenantId chain;
    std::uint64_t number = 0;
    Contradiction contradiction{};
  };
  std::uint64_t matched = 0;
  std::uint64_t cut = 0;     ///< removed by retention since: the chain's cut lies behind them
  std::uint64_t closed = 0;  ///< of tenants that were erased since
  /// Of `closed`: nobody signed the closing. It is in the platform's chain all the same, which the
  /// witness sees; whether the tenant was meant to be erased is for people to say.
  std::uint64_t closed_unsigned = 0;
  std::uint64_t contradictions = 0;
  std::vector<Finding> findings;  ///< the first kMaxFindings of them
  [[nodiscard]] bool sound() const { return contradictions == 0; }
};

/// Holds one statement against the database and adds to `check`. It looks at the MACs as stored:
/// together with verify_all(), which shows that the records belong to their MACs.
void check_against(sql::Transaction& tx, const Chain& chain, const Statement& statement,
                   const PublicKey& key, WitnessCheck& check);

}  // namespace postern::accounts::audit
