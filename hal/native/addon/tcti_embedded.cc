#include "tcti_embedded.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <mutex>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_memory.h>

namespace enigm {
namespace {

constexpr char libraryName[] = "libtpms.so.0";
constexpr off_t maxStateBytes = 1 << 20;

bool fail(std::string &why, const std::string &sentence) {
  why = sentence;
  return false;
}

bool failWithErrno(std::string &why, const std::string &what) { return fail(why, what + ": " + std::strerror(errno)); }

// A copy of libtpms of one's own: the library keeps its TPM in global variables, so one copy is one TPM.
class Library {
 public:
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
    // Only now: the loader knows a library by its path, and /proc/self/fd/N would name the next copy too.
    if (file_ >= 0) close(file_);
  }

  bool load(std::string &why) {
    std::string path;
    if (!find(path)) return fail(why, std::string(libraryName) + " is missing (apt-get install libtpms0): " + dlerror());
    if (!copy(path)) return failWithErrno(why, "cannot copy " + path + " into memory");
    // RTLD_DEEPBIND: Node exports an OpenSSL of its own, of another version; without the flag libtpms would bind to it.
    handle_ = dlopen(("/proc/self/fd/" + std::to_string(file_)).c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle_ == nullptr) return fail(why, "cannot load a copy of " + path + ": " + dlerror());
    return symbol(chooseVersion, "TPMLIB_ChooseTPMVersion", why) && symbol(registerCallbacks, "TPMLIB_RegisterCallbacks", why) &&
           symbol(mainInit, "TPMLIB_MainInit", why) && symbol(terminate, "TPMLIB_Terminate", why) &&
           symbol(process, "TPMLIB_Process", why) && symbol(cancel, "TPMLIB_CancelCommand", why) &&
           symbol(allocate, "TPM_Malloc", why) && symbol(release, "TPM_Free", why);
  }

  decltype(&TPMLIB_ChooseTPMVersion) chooseVersion = nullptr;
  decltype(&TPMLIB_RegisterCallbacks) registerCallbacks = nullptr;
  decltype(&TPMLIB_MainInit) mainInit = nullptr;
  decltype(&TPMLIB_Terminate) terminate = nullptr;
  decltype(&TPMLIB_Process) process = nullptr;
  decltype(&TPMLIB_CancelCommand) cancel = nullptr;
  decltype(&TPM_Malloc) allocate = nullptr;
  decltype(&TPM_Free) release = nullptr;

 private:
  // Where the loader finds the library.
  static bool find(std::string &path) {
    void *handle = dlopen(libraryName, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle == nullptr) return false;
    const link_map *map = nullptr;
    const bool isFound = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
    if (isFound) path = map->l_name;
    dlclose(handle);
    return isFound;
  }

  bool copy(const std::string &path) {
    const int source = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (source < 0) return false;
    file_ = memfd_create("tpm", MFD_CLOEXEC);
    ssize_t count = file_ < 0 ? -1 : 1;
    while (count > 0) count = sendfile(file_, source, nullptr, 1 << 20);
    close(source);
    return count == 0;
  }

  template <typename Function>
  bool symbol(Function &function, const char *name, std::string &why) {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    return function != nullptr || fail(why, std::string(libraryName) + " has no " + name);
  }

  int file_ = -1;
  void *handle_ = nullptr;
};

// The files of one TPM. A file is replaced whole (write, rename), so that a crash leaves the old state or the new one.
class StateDirectory {
 public:
  ~StateDirectory() {
    if (directory_ >= 0) close(directory_);
  }

  bool open(const EmbeddedOptions &options, std::string &why) {
    const std::string &path = options.stateDirectory;
    isSynced_ = options.isStateSynced;
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failWithErrno(why, "cannot make " + path);
    directory_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_ < 0) return failWithErrno(why, "cannot open " + path);
    if (flock(directory_, LOCK_EX | LOCK_NB) != 0) return fail(why, "the TPM state in " + path + " is in use");
    return true;
  }

  // TPM_RETRY is libtpms's word for "there is no such file" (tpm_nvfile.h).
  TPM_RESULT load(const Library &library, const char *name, unsigned char **data, uint32_t *length) const {
    const int file = openat(directory_, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT ? TPM_RETRY : TPM_FAIL;
    struct stat status {};
    TPM_RESULT result = TPM_FAIL;
    if (fstat(file, &status) == 0 && status.st_size > 0 && status.st_size <= maxStateBytes) {
      *length = static_cast<uint32_t>(status.st_size);
      result = library.allocate(data, *length);
      if (result == TPM_SUCCESS && !readAll(file, *data, *length)) {
        library.release(*data);
        result = TPM_FAIL;
      }
    }
    close(file);
    return result;
  }

  TPM_RESULT store(const char *name, const unsigned char *data, uint32_t length) const {
    const std::string temporary = std::string(name) + ".new";
    const int file = openat(directory_, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return TPM_FAIL;
    bool isDone = writeAll(file, data, length) && (!isSynced_ || fsync(file) == 0);
    isDone = close(file) == 0 && isDone;
    isDone = isDone && renameat(directory_, temporary.c_str(), directory_, name) == 0;
    isDone = isDone && (!isSynced_ || fsync(directory_) == 0);
    return isDone ? TPM_SUCCESS : TPM_FAIL;
  }

  TPM_RESULT remove(const char *name, bool mustExist) const {
    return unlinkat(directory_, name, 0) == 0 || (errno == ENOENT && !mustExist) ? TPM_SUCCESS : TPM_FAIL;
  }

 private:
  static bool readAll(int file, unsigned char *data, size_t length) {
    while (length > 0) {
      const ssize_t count = read(file, data, length);
      if (count <= 0) return false;
      data += count;
      length -= static_cast<size_t>(count);
    }
    return true;
  }

  static bool writeAll(int file, const unsigned char *data, size_t length) {
    while (length > 0) {
      const ssize_t count = write(file, data, length);
      if (count <= 0) return false;
      data += count;
      length -= static_cast<size_t>(count);
    }
    return true;
  }

  int directory_ = -1;
  bool isSynced_ = false;
};

class EmbeddedTcti final : public Tcti {
 public:
  ~EmbeddedTcti() override {
    if (!isOn_) return;
    current = this;
    const std::lock_guard lock(power_);
    library_.terminate();
    library_.release(response_);
    isOn_ = false;
  }

  bool open(const EmbeddedOptions &options, std::string &why) {
    if (!state_.open(options, why) || !library_.load(why)) return false;
    current = this;
    // Takes a copy of the table. The functions have no argument of ours: `current` says which TPM calls.
    libtpms_callbacks callbacks{};
    callbacks.sizeOfStruct = sizeof callbacks;
    callbacks.tpm_nvram_init = [] { return static_cast<TPM_RESULT>(TPM_SUCCESS); };
    callbacks.tpm_nvram_loaddata = [](unsigned char **data, uint32_t *length, uint32_t, const char *name) {
      return current->state_.load(current->library_, name, data, length);
    };
    callbacks.tpm_nvram_storedata = [](const unsigned char *data, uint32_t length, uint32_t, const char *name) {
      return current->state_.store(name, data, length);
    };
    callbacks.tpm_nvram_deletename = [](uint32_t, const char *name, TPM_BOOL mustExist) {
      return current->state_.remove(name, mustExist != 0);
    };
    callbacks.tpm_io_init = [] { return static_cast<TPM_RESULT>(TPM_SUCCESS); };
    callbacks.tpm_io_getlocality = [](TPM_MODIFIER_INDICATOR *locality, uint32_t) {
      *locality = 0;
      return static_cast<TPM_RESULT>(TPM_SUCCESS);
    };
    callbacks.tpm_io_getphysicalpresence = [](TPM_BOOL *isPresent, uint32_t) {
      *isPresent = 0;
      return static_cast<TPM_RESULT>(TPM_SUCCESS);
    };
    TPM_RESULT result = library_.chooseVersion(TPMLIB_TPM_VERSION_2);
    if (result == TPM_SUCCESS) result = library_.registerCallbacks(&callbacks);
    if (result == TPM_SUCCESS) result = library_.mainInit();
    isOn_ = result == TPM_SUCCESS;
    return isOn_ || fail(why, "libtpms does not start on the state in " + options.stateDirectory + ": error " + std::to_string(result));
  }

  // Only key generation looks at it; every other command ends by itself within milliseconds.
  void interrupt() noexcept override {
    const std::lock_guard lock(power_);
    isInterrupted_ = true;
    if (isOn_) library_.cancel();
  }

 protected:
  TSS2_RC transmit(Bytes command) noexcept override {
    command_.assign(command.begin(), command.end());
    return TSS2_RC_SUCCESS;
  }

  TSS2_RC receive(std::span<uint8_t> buffer, size_t &received) noexcept override {
    if (isInterrupted_) return TSS2_TCTI_RC_IO_ERROR;
    current = this;
    uint32_t length = 0;
    const TPM_RESULT result =
        library_.process(&response_, &length, &capacity_, command_.data(), static_cast<uint32_t>(command_.size()));
    SecretBytes().swap(command_);
    if (result != TPM_SUCCESS || isInterrupted_) return TSS2_TCTI_RC_IO_ERROR;
    if (length > buffer.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    std::memcpy(buffer.data(), response_, length);
    explicit_bzero(response_, length);
    received = length;
    return TSS2_RC_SUCCESS;
  }

 private:
  // libtpms calls back on the thread that called it, so the instance at work on this thread is the one that calls.
  static thread_local EmbeddedTcti *current;

  StateDirectory state_;
  Library library_;
  std::mutex power_;
  bool isOn_ = false;
  std::atomic<bool> isInterrupted_ = false;
  SecretBytes command_;
  unsigned char *response_ = nullptr;
  uint32_t capacity_ = 0;
};

thread_local EmbeddedTcti *EmbeddedTcti::current = nullptr;

}  // namespace

std::unique_ptr<Tcti> openEmbedded(const EmbeddedOptions &options, std::string &why) {
  auto tcti = std::make_unique<EmbeddedTcti>();
  return tcti->open(options, why) ? std::move(tcti) : nullptr;
}

}  // namespace enigm
