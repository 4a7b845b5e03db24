// Where an accepted message is written, in one durable commit: straight into the mail shard when
// all its recipients are mailboxes of one tenant, else into the queue.
//
// In the queue, mail of ours (a submission, or what the server itself wrote) is one entry of its
// sender's tenant. Mail from outside for several tenants becomes one entry per tenant, all in the
// same commit, each sealed under its own tenant's key: no row and no body is shared between them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lane.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "smtp/backend.hpp"
#include "smtp/reception/content.hpp"

namespace postern::smtp::reception {

enum class Folder : std::uint8_t { inbox, junk };

/// A message ready to be written. `header` is complete but for Return-Path, which final delivery
/// adds.
struct Accepted {
  MessageId id;
  std::string return_path;             ///< text, empty for the null path
  const Envelope* envelope = nullptr;  ///< lives as long as the session's transaction
  std::string header;
  Content content;
  Folder folder = Folder::inbox;
  Lane lane = Lane::transactional;
  std::string origin;   ///< "smtp 192.0.2.1"
  std::string session;  ///< its id, for the log
  std::string stream{};
  std::optional<Timestamp> deadline{};  ///< of its entry in the queue
  /// Whose that entry is; none for mail from outside.
  std::optional<TenantId> owner{};
  /// Who logged in; none for mail from outside and of the server's own. Without one, mailboxes of
  /// other tenants take the message unverified.
  std::optional<Identity> submitter{};
};

/// "queued as ID" once it is on disk, or a refusal.
Task<Reply> place(const Environment& environment, Accepted message);

/// "Return-Path: <a@b>" with its CRLF (RFC 5321 §4.4).
std::string return_path_field(std::string_view return_path);

/// Delivers into mailboxes of one tenant, in one commit.
Task<Result<std::vector<mailbox::DeliveryOutcome>>> deliver_to_mailboxes(
    const Environment& environment, mailbox::Place place, Lane lane,
    std::vector<mailbox::DeliveryTarget> targets, std::string header, Content& content,
    mailbox::Alongside alongside = {});

}  // namespace postern::smtp::reception
