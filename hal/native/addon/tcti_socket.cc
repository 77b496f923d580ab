#include "tcti_socket.h"

#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "interrupt.h"

namespace enigm {
namespace {

// Response header: tag (2), responseSize (4), responseCode (4); TPM 2.0 Part 1 §18.1.
constexpr size_t headerBytes = 10;

// For `connect` and `send`, and for each wait for a part of the answer: generating an RSA key takes seconds.
constexpr timeval sendLimit{2, 0};
constexpr std::chrono::minutes responseLimit{1};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

bool connectOne(Descriptor &socket_, int family, const sockaddr *address, socklen_t length) {
  socket_.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket_.get() < 0) return false;
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &sendLimit, sizeof sendLimit);
  if (family != AF_UNIX) {
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return connect(socket_.get(), address, length) == 0;
}

bool connectUnix(Descriptor &socket_, const std::string &path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connectOne(socket_, AF_UNIX, reinterpret_cast<const sockaddr *>(&address), sizeof address);
}

bool connectTcp(Descriptor &socket_, const std::string &host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo *found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    errno = EHOSTUNREACH;
    return false;
  }
  bool isConnected = false;
  for (const addrinfo *each = found; each != nullptr && !isConnected; each = each->ai_next)
    isConnected = connectOne(socket_, each->ai_family, each->ai_addr, each->ai_addrlen);
  freeaddrinfo(found);
  return isConnected;
}

// One connection for each command: swtpm serves one client at a time, so a connection that is kept would shut out
// every other program (tpm2-tools beside a test, a second Esys).
class SocketTcti final : public Tcti {
 public:
  explicit SocketTcti(SocketAddress address) : address_(std::move(address)) {}

  bool connect() {
    return address_.path.empty() ? connectTcp(socket_, address_.host, address_.port) : connectUnix(socket_, address_.path);
  }
  void disconnect() noexcept { socket_.reset(); }
  void interrupt() noexcept override { interrupt_.raise(); }

 protected:
  TSS2_RC transmit(Bytes command) noexcept override {
    if (!connect()) return TSS2_TCTI_RC_NO_CONNECTION;
    while (!command.empty()) {
      const ssize_t sent = ::send(socket_.get(), command.data(), command.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        disconnect();
        return TSS2_TCTI_RC_IO_ERROR;
      }
      command = command.subspan(static_cast<size_t>(sent));
    }
    return TSS2_RC_SUCCESS;
  }

  TSS2_RC receive(std::span<uint8_t> buffer, size_t &received) noexcept override {
    const TSS2_RC rc = readResponse(buffer, received);
    if (rc != TSS2_RC_SUCCESS) received = 0;
    disconnect();
    return rc;
  }

 private:
  TSS2_RC readResponse(std::span<uint8_t> buffer, size_t &received) noexcept {
    if (buffer.size() < headerBytes) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    TSS2_RC rc = readAll(buffer.first(headerBytes));
    if (rc != TSS2_RC_SUCCESS) return rc;
    received = static_cast<size_t>(buffer[2]) << 24 | buffer[3] << 16 | buffer[4] << 8 | buffer[5];
    if (received < headerBytes) return TSS2_TCTI_RC_MALFORMED_RESPONSE;
    if (received > buffer.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    return readAll(buffer.subspan(headerBytes, received - headerBytes));
  }

  TSS2_RC readAll(std::span<uint8_t> buffer) noexcept {
    while (!buffer.empty()) {
      const TSS2_RC rc = interrupt_.waitReadable(socket_.get(), responseLimit);
      if (rc != TSS2_RC_SUCCESS) return rc;
      const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count == 0) return TSS2_TCTI_RC_NO_CONNECTION;
      if (count < 0) return TSS2_TCTI_RC_IO_ERROR;
      buffer = buffer.subspan(static_cast<size_t>(count));
    }
    return TSS2_RC_SUCCESS;
  }

  SocketAddress address_;
  Descriptor socket_;
  Interrupt interrupt_;
};

}  // namespace

std::unique_ptr<Tcti> openSocket(const SocketAddress &address, std::string &why) {
  auto tcti = std::make_unique<SocketTcti>(address);
  if (tcti->connect()) {
    tcti->disconnect();
    return tcti;
  }
  const std::string where = address.path.empty() ? address.host + ":" + std::to_string(address.port) : address.path;
  why = "cannot connect to swtpm at " + where + ": " + std::strerror(errno);
  return nullptr;
}

}  // namespace enigm
