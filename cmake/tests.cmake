# One test program a folder of tests/ (tests/core -> test_core, Catch2), registered with CTest; one
# libFuzzer target a file of tests/fuzz when the build is sanitized for it.

enable_testing()
find_package(Catch2 2 REQUIRED)
find_package(yaml-cpp REQUIRED)

file(GLOB support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cpp)
add_library(postern_test_support STATIC ${support_sources})
target_include_directories(postern_test_support PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(postern_test_support PUBLIC postern_core postern_config Catch2::Catch2)
if(POSTERN_PCH)
  target_precompile_headers(postern_test_support REUSE_FROM postern_core)
endif()

# postern_tests(NAME LIBRARIES...): the Catch2 program test_NAME from every .cpp under tests/NAME.
function(postern_tests name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.cpp)
  if(POSTERN_SANITIZE STREQUAL "thread")
    list(FILTER sources EXCLUDE REGEX "/smtp/(reception/|isolation_test)")
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE postern_test_support ${ARGN} yaml-cpp Boost::json)
  if(POSTERN_PCH AND name MATCHES "^(web|app|security)$")
    target_precompile_headers(test_${name} REUSE_FROM postern_web)
  elseif(POSTERN_PCH)
    target_precompile_headers(test_${name} REUSE_FROM postern_core)
  endif()
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

foreach(folder core config storage message mailbox accounts dkim reputation smtp imap notify web)
  postern_tests(${folder} postern_${folder})
endforeach()
postern_tests(app postern_app)
postern_tests(security postern_app)
# The IMAP client and listener of the IMAP tests serve here too, and the authenticator in software.
target_sources(test_security PRIVATE tests/imap/test_server.cpp tests/imap/fake_backend.cpp
  tests/accounts/factors/soft_authenticator.cpp)

if(POSTERN_SANITIZE STREQUAL "address")
  file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*.cpp)
  foreach(source ${fuzzers})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE postern_app)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
endif()
