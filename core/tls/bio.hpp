// OpenSSL's way to a socket descriptor, with send(MSG_NOSIGNAL): its own socket BIO uses write(),
// whose SIGPIPE would end the process when a peer has gone.
#pragma once

struct bio_st;

namespace postern::tls {

/// A BIO on `descriptor`, which it doesn't own. Null when memory is short.
bio_st* make_socket_bio(int descriptor);
/// True once the peer has closed its sending side.
bool socket_bio_at_end(bio_st* bio);

}  // namespace postern::tls
