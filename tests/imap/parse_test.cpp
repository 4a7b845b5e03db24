// Tables of accepted and refused command arguments (RFC 3501 §9 and the extensions' grammars).
#include <catch2/catch.hpp>

#include "imap/commands.hpp"
#include "mailbox/types.hpp"

using namespace postern;
using namespace postern::imap;

namespace {
// `text`: the command without its tag.
Parsed parse(std::string_view text) {
  Scanner in(text);
  std::string name(in.word());
  if (name == "UID" && in.space()) name += " " + std::string(in.word());
  const auto* spec = find_command(name);
  REQUIRE(spec != nullptr);
  return (spec->name == "APPEND" ? parse_append : spec->parse)(in);
}

template <class Value>
Value value(std::string_view text) {
  auto parsed = parse(text);
  CAPTURE(text, parsed ? "" : parsed.error().text);
  REQUIRE(parsed);
  return std::get<Value>(std::move(*parsed));
}

void accepted(std::initializer_list<std::string> rows) {
  for (const auto& row : rows) {
    const auto parsed = parse(row);
    CAPTURE(row, parsed ? "" : parsed.error().text);
    CHECK(parsed);
  }
}

void refused(std::initializer_list<std::string> rows) {
  for (const auto& row : rows) {
    CAPTURE(row);
    CHECK_FALSE(parse(row));
  }
}
}  // namespace

TEST_CASE("commands_without_arguments_take_none") {
  accepted({"NOOP", "CAPABILITY", "LOGOUT", "STARTTLS", "CHECK", "CLOSE", "EXPUNGE", "IDLE",
            "UNSELECT", "NAMESPACE"});
  refused({"NOOP ", "NOOP x", "CAPABILITY 1", "EXPUNGE 1:*", "IDLE DONE"});
}

TEST_CASE("login_arguments") {
  const auto login = value<LoginCommand>("LOGIN \"a b\" {3+}\r\nx\"y");
  CHECK(login.user == "a b");
  CHECK(login.password == "x\"y");
  refused({"LOGIN", "LOGIN a", "LOGIN a ", "LOGIN a b c", "LOGIN  a b", "LOGIN a b ", "LOGIN (a) b",
           "LOGIN \"a b", "LOGIN " + std::string(1025, 'a') + " b"});
  accepted({"LOGIN " + std::string(1024, 'a') + " b"});
}

TEST_CASE("authenticate_arguments") {
  CHECK(value<AuthenticateCommand>("AUTHENTICATE plain").mechanism == "PLAIN");
  CHECK(value<AuthenticateCommand>("AUTHENTICATE PLAIN =").initial_response == "=");
  refused({"AUTHENTICATE", "AUTHENTICATE ", "AUTHENTICATE PLAIN ", "AUTHENTICATE PLAIN a b"});
}

TEST_CASE("mailbox_arguments") {
  CHECK(value<MailboxCommand>("CREATE inbox").name == "INBOX");
  CHECK(value<MailboxCommand>("CREATE \"a b\"").name == "a b");
  CHECK(value<MailboxCommand>("CREATE &Jjo-").name == "\xe2\x98\xba");
  CHECK(value<MailboxCommand>("DELETE {3+}\r\na/b").name == "a/b");
  CHECK(value<SelectCommand>("EXAMINE x").access == Access::read_only);
  const auto rename = value<RenameCommand>("RENAME a \"b c\"");
  CHECK(rename.from == "a");
  CHECK(rename.to == "b c");
  refused({"CREATE", "CREATE ", "CREATE a b", "CREATE a%", "CREATE &Jjo", "SELECT a (CONDSTORE)",
           "RENAME a", "RENAME a b c", "DELETE " + std::string(4000, 'x')});
}

TEST_CASE("list_arguments") {
  const auto list = value<ListCommand>("LIST \"\" *");
  CHECK(list.reference.empty());
  CHECK(list.pattern == "*");
  CHECK(value<ListCommand>("LSUB \"\" \"%/a\"").kind == ListCommand::Kind::lsub);
  accepted({"LIST \"\" \"\"", "LIST a/ %", "LIST \"\" a]b"});
  refused({"LIST", "LIST \"\"", "LIST \"\" ", "LIST \"\" (", "LIST \"\" * x", "LIST * *"});
}

TEST_CASE("status_arguments") {
  const auto status = value<StatusCommand>("STATUS x (messages UNSEEN MESSAGES)");
  CHECK(status.items == std::vector<StatusItem>{StatusItem::messages, StatusItem::unseen});
  accepted({"STATUS x (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)"});
  refused({"STATUS x", "STATUS x ()", "STATUS x MESSAGES", "STATUS x (FOO)", "STATUS x (MESSAGES",
           "STATUS x (MESSAGES) ", "STATUS x ( MESSAGES)", "STATUS x (MESSAGES )"});
}

TEST_CASE("append_arguments_end_with_the_announced_literal") {
  const auto append =
      value<AppendCommand>("APPEND \"a b\" (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {310}");
  CHECK(append.name == "a b");
  CHECK(append.flags.system == kSeen);
  CHECK(append.flags.keywords == std::vector<std::string>{"$x"});
  CHECK(append.internal_date);
  accepted({"APPEND x {1}", "APPEND x () {1+}", "APPEND {1+}\r\nx {5}"});
  refused({"APPEND {5}", "APPEND x", "APPEND x \"m\"", "APPEND x (\\Recent) {1}",
           "APPEND x (\\Foo) {1}", "APPEND x (\\Seen){1}", "APPEND x  {1}", "APPEND x (a ) {1}",
           "APPEND x {1} {2}", "APPEND x \"17-Jul-1996\" {1}"});
}

TEST_CASE("store_arguments") {
  const auto store = value<StoreCommand>("STORE 2:4 +FLAGS.SILENT (\\Deleted work)");
  CHECK(store.how == FlagChange::add);
  CHECK(store.reporting == StoreCommand::Reporting::silent);
  CHECK(store.flags.system == kDeleted);
  CHECK(value<StoreCommand>("STORE 1 -flags \\Seen \\Draft").how == FlagChange::remove);
  CHECK(value<StoreCommand>("UID STORE * FLAGS ()").numbering == Numbering::uid);
  refused({"STORE", "STORE 1", "STORE 1 FLAGS", "STORE 1 FLAGS ", "STORE 1 +FLAG (a)",
           "STORE x FLAGS (a)", "STORE 1 FLAGS (\\Recent)", "STORE 1 FLAGS (\\*)",
           "STORE 1 FLAGS (a", "STORE 1 FLAGS (a) b", "STORE 1 ++FLAGS (a)",
           "STORE 1 FLAGS (" + std::string(mailbox::kMaxKeywordLength + 1, 'k') + ")"});
  std::string many;
  for (std::size_t i = 0; i < mailbox::kMaxKeywords; ++i) many += "k" + std::to_string(i) + " ";
  many.pop_back();
  accepted({"STORE 1 FLAGS (" + many + ")",
            "STORE 1 FLAGS (" + std::string(mailbox::kMaxKeywordLength, 'k') + ")"});
  refused({"STORE 1 FLAGS (" + many + " one_more)"});
}

TEST_CASE("copy_and_move_arguments") {
  CHECK(value<CopyCommand>("COPY 1:* Sent").kind == CopyCommand::Kind::copy);
  CHECK(value<CopyCommand>("UID MOVE 7 Sent").kind == CopyCommand::Kind::move);
  refused({"COPY 1", "COPY Sent", "COPY 1 a b", "MOVE 0 x", "UID COPY 1,,2 x"});
}

TEST_CASE("id_and_enable_arguments") {
  CHECK(value<IdCommand>("ID NIL").fields.empty());
  CHECK(value<IdCommand>("ID ()").fields.empty());
  CHECK(value<IdCommand>("ID (\"name\" \"x\" \"os\" NIL)").fields.size() == 2);
  refused({"ID", "ID (\"name\")", "ID (\"name\" \"x\"", "ID x", "ID NIL NIL", "ID (name \"x\")"});
  CHECK(value<EnableCommand>("ENABLE condstore X").extensions ==
        std::vector<std::string>{"CONDSTORE", "X"});
  refused({"ENABLE", "ENABLE ", "ENABLE a  b", "ENABLE (a)"});
}

TEST_CASE("fetch_items") {
  using Kind = FetchItem::Kind;
  const auto kinds = [](std::string_view text) {
    std::vector<Kind> out;
    for (const auto& item : value<FetchCommand>("FETCH 1 " + std::string(text)).items) {
      out.push_back(item.kind);
    }
    return out;
  };
  CHECK(kinds("ALL") == std::vector{Kind::flags, Kind::internal_date, Kind::size, Kind::envelope});
  CHECK(kinds("fast") == std::vector{Kind::flags, Kind::internal_date, Kind::size});
  CHECK(kinds("FULL") ==
        std::vector{Kind::flags, Kind::internal_date, Kind::size, Kind::envelope, Kind::body});
  CHECK(kinds("(UID RFC822 rfc822.header RFC822.TEXT RFC822.SIZE BODY BODYSTRUCTURE)") ==
        std::vector{Kind::uid, Kind::rfc822, Kind::rfc822_header, Kind::rfc822_text, Kind::size,
                    Kind::body, Kind::body_structure});
  accepted({"FETCH 1 BODY[]", "FETCH 1 BODY.PEEK[1.2.3]", "FETCH 1 BODY[1.MIME]",
            "FETCH 1 BODY[HEADER]", "FETCH 1 BODY[4.1.HEADER.FIELDS (A \"b c\")]<0.100>",
            "FETCH 1 (BODY[TEXT]<5.6>)", "FETCH 1 body.peek[header.fields.not (From)]"});
  refused({"FETCH 1",
           "FETCH 1 ",
           "FETCH 1 ()",
           "FETCH 1 FOO",
           "FETCH 1 (ALL)",
           "FETCH 1 ALL FAST",
           "FETCH 1 FLAGS UID",
           "FETCH 1 (FLAGS UID",
           "FETCH 1 BODY[",
           "FETCH 1 BODY[MIME]",
           "FETCH 1 BODY[0]",
           "FETCH 1 BODY[1.]",
           "FETCH 1 BODY[.1]",
           "FETCH 1 BODY[1.FOO]",
           "FETCH 1 BODY[HEADER.FIELDS]",
           "FETCH 1 BODY[HEADER.FIELDS ()]",
           "FETCH 1 BODY[]<0>",
           "FETCH 1 BODY[]<0.0>",
           "FETCH 1 BODY[]<a.1>",
           "FETCH 1 BODY.PEEK",
           "FETCH 1 BODY[] x",
           "FETCH 0 FLAGS",
           "FETCH 1 BODY[1 ]",
           "FETCH 1 ENVELOPE[]",
           "FETCH 1 BODY[]<0.1"});
}

TEST_CASE("fetch_section_values") {
  const auto item = value<FetchCommand>("FETCH 1 BODY.PEEK[4.1.HEADER.FIELDS.NOT (From To)]<10.20>")
                        .items.front();
  CHECK(item.kind == FetchItem::Kind::section_peek);
  CHECK(item.section.path == std::vector<std::uint32_t>{4, 1});
  CHECK(item.section.text == Section::Text::header_fields_not);
  CHECK(item.section.names == std::vector<std::string>{"From", "To"});
  CHECK(item.partial == Partial{10, 20});
}

TEST_CASE("fetch_limits") {
  const auto items = [](std::size_t n) {
    std::string out = "FETCH 1 (UID";
    for (std::size_t i = 1; i < n; ++i) out += " UID";
    return out + ")";
  };
  accepted({items(kMaxFetchItems)});
  refused({items(kMaxFetchItems + 1)});
  const auto deep = [](std::size_t n) {
    std::string out = "FETCH 1 BODY[1";
    for (std::size_t i = 1; i < n; ++i) out += ".1";
    return out + "]";
  };
  accepted({deep(kMaxSectionDepth)});
  refused({deep(kMaxSectionDepth + 1)});
}

TEST_CASE("search_keys") {
  accepted({"SEARCH ALL", "SEARCH NEW", "SEARCH 1:5,7 UID 3:*", "SEARCH NOT SEEN",
            "SEARCH OR (FROM a TO b) NOT (SUBJECT \"x y\" UNSEEN)", "SEARCH HEADER X-Spam \"\"",
            "SEARCH CHARSET utf-8 TEXT {5+}\r\ncaf\xc3\xa9", "SEARCH SINCE 1-Feb-1994",
            "SEARCH SENTON \"01-Feb-1994\" LARGER 0 SMALLER 4294967295 KEYWORD $x UNKEYWORD y",
            "SEARCH RETURN () ALL", "SEARCH RETURN (MIN MAX ALL COUNT) CHARSET US-ASCII ALL",
            "UID SEARCH RETURN (COUNT) UNDELETED", "SEARCH ((ALL))",
            "SEARCH ANSWERED DELETED DRAFT FLAGGED SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED "
            "UNSEEN OLD "
            "RECENT"});
  refused({"SEARCH",
           "SEARCH ",
           "SEARCH FOO",
           "SEARCH NOT",
           "SEARCH OR SEEN",
           "SEARCH (SEEN",
           "SEARCH ()",
           "SEARCH SEEN)",
           "SEARCH FROM",
           "SEARCH HEADER x",
           "SEARCH HEADER \"\" x",
           "SEARCH BEFORE 1",
           "SEARCH LARGER x",
           "SEARCH LARGER 4294967296",
           "SEARCH SEEN ",
           "SEARCH  SEEN",
           "SEARCH UID",
           "SEARCH UID x",
           "SEARCH RETURN ALL",
           "SEARCH RETURN (FOO) ALL",
           "SEARCH RETURN (MIN)",
           "SEARCH CHARSET UTF-8",
           "SEARCH 0",
           "SEARCH KEYWORD \\Seen"});
}

TEST_CASE("search_charset_unknown_is_badcharset") {
  const auto parsed = parse("SEARCH CHARSET KOI8-R TEXT x");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == "BADCHARSET (US-ASCII UTF-8)");
}

TEST_CASE("search_limits_answer_limit") {
  const auto nested = [](std::size_t n) {
    return "SEARCH " + std::string(n, '(') + "ALL" + std::string(n, ')');
  };
  accepted({nested(kMaxSearchDepth)});
  REQUIRE_FALSE(parse(nested(kMaxSearchDepth + 1)));
  CHECK(parse(nested(kMaxSearchDepth + 1)).error().code == "LIMIT");
  CHECK(parse(nested(20000)).error().code == "LIMIT");
  std::string many = "SEARCH ALL";
  for (std::size_t i = 1; i < kMaxSearchKeys; ++i) many += " ALL";
  accepted({many});
  CHECK(parse(many + " ALL").error().code == "LIMIT");
  accepted({"SEARCH TEXT " + std::string(kMaxSearchText, 'x')});
  CHECK(parse("SEARCH TEXT " + std::string(kMaxSearchText + 1, 'x')).error().code == "LIMIT");
}

TEST_CASE("every_command_refuses_every_truncation_or_gives_a_whole_value") {
  // Nothing here may crash or read beyond the text; the sanitizers watch.
  for (const std::string_view whole :
       {"FETCH 1:* (BODY.PEEK[1.2.HEADER.FIELDS (A \"b\")]<0.5> ENVELOPE)",
        "SEARCH RETURN (MIN) CHARSET UTF-8 OR (FROM \"a\") NOT HEADER x {2+}\r\nyz SINCE "
        "1-Feb-1994",
        "APPEND \"a b\" (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {310}",
        "STATUS x (MESSAGES UNSEEN)", "ID (\"name\" \"x\" \"os\" NIL)",
        "STORE 2:4 +FLAGS.SILENT (\\Deleted work)"}) {
    for (std::size_t n = whole.find(' '); n < whole.size(); ++n) {
      const std::string text(whole.substr(0, n));
      (void)parse(text);
    }
  }
  SUCCEED();
}

TEST_CASE("dispatch_table_names_are_unique_and_find_themselves") {
  for (const auto& spec : commands()) {
    CAPTURE(spec.name);
    CHECK(find_command(spec.name) == &spec);
    CHECK(spec.states != 0);
  }
  CHECK(find_command("fetch") == find_command("FETCH"));
  CHECK(find_command("XYZZY") == nullptr);
}

TEST_CASE("only_fetch_store_and_search_hold_expunges_back") {
  // RFC 3501 §7.4.1, and §6.4.8 for the UID forms.
  std::string held;
  for (const auto& spec : commands()) {
    if ((spec.flags & kHoldsExpunges) != 0) held += std::string(spec.name) + " ";
  }
  CHECK(held == "SEARCH FETCH STORE ");
}
