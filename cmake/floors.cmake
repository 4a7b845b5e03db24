# The house's floors: what each folder may include, and so link. The test `floors` checks the same from
# the includes themselves (tests/check-floors).

set(POSTERN_BELOW_core "")
set(POSTERN_BELOW_config core)
set(POSTERN_BELOW_storage config core)
set(POSTERN_BELOW_message config core)
set(POSTERN_BELOW_mailbox storage message config core)
set(POSTERN_BELOW_accounts storage message config core)
set(POSTERN_BELOW_dkim storage message config core)
set(POSTERN_BELOW_reputation accounts storage message config core)
set(POSTERN_BELOW_smtp mailbox accounts dkim reputation storage message config core)
set(POSTERN_BELOW_imap mailbox accounts dkim reputation storage message config core)
set(POSTERN_BELOW_notify smtp mailbox accounts dkim reputation storage message config core)
set(POSTERN_BELOW_web notify smtp imap mailbox accounts dkim reputation storage message config core)

# The thread sanitizer's build is for what threads share: core, storage, and smtp without reception, which
# lives on one thread a session and would bring half the house with it.
if(POSTERN_SANITIZE STREQUAL "thread")
  set(POSTERN_BELOW_smtp storage message config core)
endif()

option(POSTERN_PCH "Precompile the heavy headers" ON)

# postern_library(NAME): every .cpp under NAME/ becomes the static library postern_NAME.
function(postern_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cpp)
  if(POSTERN_SANITIZE STREQUAL "thread")
    list(FILTER sources EXCLUDE REGEX "/smtp/reception/")
  endif()
  if(NOT sources)
    add_library(postern_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(postern_${name} STATIC ${sources})
    set(scope PUBLIC)
    if(POSTERN_PCH)
      if(name STREQUAL "core")
        target_precompile_headers(postern_core PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
      elseif(name STREQUAL "web")
        target_precompile_headers(postern_web PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_web.hpp)
      else()
        target_precompile_headers(postern_${name} REUSE_FROM postern_core)
      endif()
    endif()
  endif()
  target_include_directories(postern_${name} ${scope} ${CMAKE_SOURCE_DIR})
  target_link_libraries(postern_${name} ${scope} postern_dependencies)
  foreach(below ${POSTERN_BELOW_${name}})
    target_link_libraries(postern_${name} ${scope} postern_${below})
  endforeach()
endfunction()

# The program itself: app/ on top of everything. Its objects but main.cpp are a library for the tests.
function(postern_program)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/app/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/app/main\\.cpp$")
  add_library(postern_app STATIC ${sources})
  target_include_directories(postern_app PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(postern_app PUBLIC postern_web postern_notify postern_smtp postern_imap
    postern_mailbox postern_accounts postern_dkim postern_reputation postern_storage postern_message
    postern_config postern_core CLI11::CLI11)
  target_compile_definitions(postern_app PUBLIC POSTERN_VERSION="${PROJECT_VERSION}")
  add_executable(postern ${CMAKE_SOURCE_DIR}/app/main.cpp)
  target_link_libraries(postern PRIVATE postern_app)
  if(NOT POSTERN_SANITIZE)
    target_link_libraries(postern PRIVATE mimalloc)  # takes malloc's place; sanitizers bring their own
  endif()
  if(POSTERN_PCH)
    target_precompile_headers(postern_app REUSE_FROM postern_web)
  endif()
  install(TARGETS postern RUNTIME DESTINATION bin)
endfunction()
