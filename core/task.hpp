// The coroutine type of every asynchronous function, and its executor.
//
// A coroutine runs on the io thread that spawned it, from first line to last (DESIGN: a connection
// lives and dies on one thread). Whatever leaves that thread (SQL, Argon2) comes back to it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace postern {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

using Executor = asio::any_io_executor;

}  // namespace postern
