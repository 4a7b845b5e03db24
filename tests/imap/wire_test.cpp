#include <catch2/catch.hpp>

#include "imap/wire/encoder.hpp"
#include "imap/wire/literal.hpp"
#include "imap/wire/mailbox_name.hpp"
#include "imap/wire/scanner.hpp"
#include "imap/wire/sequence_set.hpp"
#include "imap/wire/utf8.hpp"

using namespace postern;
using namespace postern::imap;

TEST_CASE("literal_announcement_is_found_at_the_end_of_a_line") {
  const auto sync = find_literal("a LOGIN {5}");
  REQUIRE(sync);
  CHECK(sync->size == 5);
  CHECK(sync->mode == LiteralMode::synchronizing);
  CHECK(sync->length == 3);
  const auto plus = find_literal("a LOGIN {5+}");
  REQUIRE(plus);
  CHECK(plus->mode == LiteralMode::non_synchronizing);
  CHECK(find_literal("{0}")->size == 0);
  CHECK(find_literal("{9223372036854775807}")->size == 9223372036854775807ULL);
}

TEST_CASE("what_is_no_literal_announcement_is_not_taken_for_one") {
  for (const char* line :
       {"", "}", "{", "{}", "{+}", "{-1}", "{5-}", "{5} ", "{a}", "{5++}", "5}",
        "{9223372036854775808}", "{99999999999999999999}", "{ 5}", "{00000000000000000000005}"}) {
    CAPTURE(line);
    CHECK_FALSE(find_literal(line));
  }
}

TEST_CASE("strings_are_quoted_or_literal_as_their_bytes_need") {
  const auto encode = [](std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
  };
  CHECK(encode("") == "\"\"");
  CHECK(encode("abc") == "\"abc\"");
  CHECK(encode("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(encode("a\r\nb") == "{4}\r\na\r\nb");
  CHECK(encode("caf\xc3\xa9") == "{5}\r\ncaf\xc3\xa9");
  CHECK(encode(std::string_view("a\0b", 3)) == "{2}\r\nab");
  CHECK(encode(std::string(1001, 'x')).starts_with("{1001}\r\n"));
}

TEST_CASE("numbers_are_written_as_a_compact_set") {
  const auto encode = [](std::vector<std::uint32_t> numbers) {
    std::string out;
    append_number_set(out, numbers);
    return out;
  };
  CHECK(encode({}).empty());
  CHECK(encode({7}) == "7");
  CHECK(encode({2, 10, 11}) == "2,10:11");
  CHECK(encode({1, 2, 3, 5, 7, 8}) == "1:3,5,7:8");
  CHECK(encode({4294967294U, 4294967295U}) == "4294967294:4294967295");
}

TEST_CASE("date_time_is_written_with_fixed_width_in_utc") {
  std::string out;
  Scanner in("\"17-Jul-1996 02:44:25 -0700\"");
  append_date_time(out, in.date_time().value());
  CHECK(out == "\"17-Jul-1996 09:44:25 +0000\"");
  out.clear();
  append_date_time(out, Timestamp{});
  CHECK(out == "\" 1-Jan-1970 00:00:00 +0000\"");
}

TEST_CASE("flags_are_written_in_a_list") {
  Flags flags;
  flags.system = kSeen | kDeleted;
  add_keyword(flags, "$Forwarded");
  std::string out;
  append_flags(out, flags, Recent::yes);
  CHECK(out == "(\\Deleted \\Seen \\Recent $Forwarded)");
  out.clear();
  append_flags(out, {}, Recent::no);
  CHECK(out == "()");
}

TEST_CASE("keywords_compare_without_case") {
  Flags flags;
  add_keyword(flags, "Work");
  add_keyword(flags, "wORK");
  add_keyword(flags, "a");
  CHECK(flags.keywords == std::vector<std::string>{"a", "Work"});
  CHECK(has_keyword(flags, "WORK"));
  remove_keyword(flags, "work");
  CHECK_FALSE(has_keyword(flags, "Work"));
}

TEST_CASE("mailbox_names_follow_modified_utf7") {
  // RFC 3501 §5.1.3's example, and RFC 2152's "Hi Mom" face in the modified form.
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
       "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"Hi Mom \xe2\x98\xba!", "Hi Mom &Jjo-!"},
      {"A&B", "A&-B"},
      {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
      {"\xf0\x9f\x98\x80", "&2D3eAA-"},
      {"plain", "plain"},
      {"", ""}};
  for (const auto& [utf8, wire] : pairs) {
    CAPTURE(wire);
    CHECK(encode_mailbox_name(utf8) == wire);
    CHECK(decode_mailbox_name(wire) == utf8);
  }
}

TEST_CASE("malformed_modified_utf7_is_refused") {
  for (const char* wire : {"&", "&U", "&U,BTFw", "&!-", "&AAA-x", "&Jjo-&Jjo-",
                           "&AGE-" /* 'a' needs no shift */, "&2D0-" /* half a surrogate pair */,
                           "&3gA-", "&Jjp-" /* bits left over */, "a\x01", "\xff", "&Jjo=-"}) {
    CAPTURE(wire);
    CHECK_FALSE(decode_mailbox_name(wire));
  }
}

TEST_CASE("inbox_has_one_spelling") {
  CHECK(canonical_mailbox_name("inBox") == "INBOX");
  CHECK(canonical_mailbox_name("Inbox/sub") == "INBOX/sub");
  CHECK(canonical_mailbox_name("inboxes") == "inboxes");
  CHECK(canonical_mailbox_name("a/inbox") == "a/inbox");
}

TEST_CASE("list_patterns_match_as_rfc_3501_says") {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  for (const auto& row : std::vector<Row>{{"*", "a/b/c", true},
                                          {"%", "a", true},
                                          {"%", "a/b", false},
                                          {"%/%", "a/b", true},
                                          {"a%", "ab", true},
                                          {"a%", "ab/c", false},
                                          {"a*c", "ab/c", true},
                                          {"*b*", "abc", true},
                                          {"a", "a", true},
                                          {"a", "A", false},
                                          {"inbox", "INBOX", true},
                                          {"iNb%", "INBOX", true},
                                          {"inbox/%", "INBOX/x", true},
                                          {"", "a", false},
                                          {"", "", true},
                                          {"**%%*", "abc/d", true}}) {
    CAPTURE(row.pattern, row.name);
    CHECK(matches_pattern(row.pattern, row.name) == row.matches);
  }
}

TEST_CASE("list_pattern_of_many_wildcards_stays_cheap") {
  const std::string pattern(1000, '*');
  CHECK_FALSE(matches_pattern(pattern + "x", std::string(1000, 'a')));
}

TEST_CASE("names_that_cannot_be_created_are_refused") {
  CHECK(is_creatable_name("a/b c/\xc3\xbc"));
  for (const std::string name : {"", "/a", "a/", "a//b", "a\tb", "a%", "a*", "\xff"}) {
    CAPTURE(name);
    CHECK_FALSE(is_creatable_name(name));
  }
  CHECK(is_creatable_name(std::string(kMaxMailboxName, 'a')));
  CHECK_FALSE(is_creatable_name(std::string(kMaxMailboxName + 1, 'a')));
  std::string deep = "a";
  for (std::size_t i = 1; i < kMaxMailboxDepth; ++i) deep += "/a";
  CHECK(is_creatable_name(deep));
  CHECK_FALSE(is_creatable_name(deep + "/a"));
}

TEST_CASE("sequence_sets_resolve_to_ascending_disjoint_ranges") {
  const auto resolve = [](const char* text, std::uint32_t largest) {
    std::string out;
    for (const auto& [first, last] : SequenceSet::parse(text).value().resolve(largest)) {
      out += (out.empty() ? "" : " ") + std::to_string(first) + "-" + std::to_string(last);
    }
    return out;
  };
  CHECK(resolve("2,4:7,9,12:*", 15) == "2-2 4-7 9-9 12-15");  // RFC 3501 §9
  CHECK(resolve("*:4,5:7", 10) == "4-10");
  CHECK(resolve("4:2", 10) == "2-4");
  CHECK(resolve("3291:*", 100) == "100-3291");
  CHECK(resolve("1:4294967295,4294967295", 1) == "1-4294967295");
  CHECK(resolve("*", 0) == "0-0");
}

TEST_CASE("malformed_sequence_sets_are_refused") {
  for (const char* text : {"", "0", "1,", ",1", "1:", ":1", "1:2:3", "01", "a", "4294967296", "1 ",
                           "**", "1:*:", "-1", "1,,2"}) {
    CAPTURE(text);
    CHECK_FALSE(SequenceSet::parse(text));
  }
}

TEST_CASE("sequence_set_range_count_is_bounded") {
  std::string text = "1";
  for (std::size_t i = 1; i < kMaxSequenceRanges; ++i) text += ",1";
  CHECK(SequenceSet::parse(text));
  CHECK_FALSE(SequenceSet::parse(text + ",1"));
}

TEST_CASE("scanner_reads_every_form_of_string") {
  CHECK(Scanner("abc]").astring() == "abc]");
  CHECK(Scanner("\"a \\\"b\\\\\"").astring() == "a \"b\\");
  CHECK(Scanner("{3}\r\na b").astring() == "a b");
  CHECK(Scanner("{3+}\r\na b").astring() == "a b");
  CHECK(Scanner("{0}\r\n").astring() == "");
  CHECK(Scanner("\"\"").astring() == "");
  CHECK(Scanner("\"caf\xc3\xa9\"").astring() == "caf\xc3\xa9");
  CHECK(Scanner("NIL").nstring() == "");
}

TEST_CASE("scanner_refuses_broken_strings") {
  for (const std::string text :
       {"", "\"abc", "\"a\\b\"", "\"a\nb\"", "(", "{3}\r\nab", "{x}\r\nabc", "{3}abc", "\"\xff\"",
        "{1}\r\n\xff", "{2} \r\nab", "%"}) {
    CAPTURE(text);
    CHECK_FALSE(Scanner(text).astring());
  }
  CHECK_FALSE(Scanner(std::string_view("{1}\r\n\0", 6)).astring());
  CHECK_FALSE(Scanner(std::string_view("\"\0\"", 3)).astring());
  CHECK_FALSE(Scanner("NILS").nstring());
}

TEST_CASE("scanner_bounds_numbers") {
  CHECK(Scanner("4294967295").number() == 4294967295U);
  CHECK_FALSE(Scanner("4294967296").number());
  CHECK(Scanner("0").number() == 0U);
  CHECK_FALSE(Scanner("0").nz_number());
  CHECK_FALSE(Scanner("01").nz_number());
  CHECK_FALSE(Scanner("99999999999999999999999").number());
}

TEST_CASE("scanner_checks_dates_field_by_field") {
  for (const char* good : {"\"17-Jul-1996 02:44:25 -0700\"", "\" 1-feb-2024 23:59:60 +1400\"",
                           "\"29-Feb-2024 00:00:00 +0000\""}) {
    CAPTURE(good);
    CHECK(Scanner(good).date_time());
  }
  for (const char* refused : {"17-Jul-1996 02:44:25 -0700", "\"7-Jul-1996 02:44:25 -0700\"",
                              "\"29-Feb-2023 00:00:00 +0000\"", "\"31-Apr-2023 00:00:00 +0000\"",
                              "\"17-Foo-1996 02:44:25 -0700\"", "\"17-Jul-96 02:44:25 -0700\"",
                              "\"17-Jul-1996 24:00:00 -0700\"", "\"17-Jul-1996 02:60:25 -0700\"",
                              "\"17-Jul-1996 02:44:61 -0700\"", "\"17-Jul-1996 02:44:25 0700\"",
                              "\"17-Jul-1996 02:44:25 -070\"", "\"00-Jul-1996 02:44:25 -0700\"",
                              "\"17-Jul-1996 02:44:25 -0760\"", "\"17-Jul-1996 02:44:25 -0700"}) {
    CAPTURE(refused);
    CHECK_FALSE(Scanner(refused).date_time());
  }
  CHECK(Scanner("1-Feb-1994").date() == Scanner("\"1-Feb-1994\"").date());
  CHECK(Scanner("01-Feb-1994").date() == Scanner("1-FEB-1994").date());
  for (const char* refused :
       {"", "1-Feb-94", "32-Jan-2000", "0-Jan-2000", "1-Jan", "\"1-Jan-2000"}) {
    CAPTURE(refused);
    CHECK_FALSE(Scanner(refused).date());
  }
}

TEST_CASE("utf8_is_well_formed_or_refused") {
  CHECK(is_well_formed_utf8("caf\xc3\xa9 \xf0\x9f\x98\x80"));
  for (const char* text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    CHECK_FALSE(is_well_formed_utf8(text));
  }
}
