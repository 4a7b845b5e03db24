#include "web/pages/pages.hpp"

#include <algorithm>
#include <array>

#include "web/pages/files.hpp"

namespace postern::web {

namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

constexpr std::array kPages{
    Page{"/sign-in", kHtml, files::pages_html},
    Page{"/password-reset", kHtml, files::pages_html},
    Page{"/sign-up", kHtml, files::pages_html},
    Page{"/invitation", kHtml, files::pages_html},
    Page{"/pages/pages.css", "text/css; charset=utf-8", files::pages_css},
    Page{"/pages/pages.js", "text/javascript; charset=utf-8", files::pages_js},
};

}  // namespace

const Page* find_page(std::string_view path) {
  const auto* found = std::ranges::find(kPages, path, &Page::path);
  return found == kPages.end() ? nullptr : found;
}

}  // namespace postern::web
