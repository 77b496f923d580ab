#include "esys_object.h"

#include <string>

#include <openssl/crypto.h>

#include "command.h"
#include "commands.h"

namespace enigm {
namespace {

constexpr char closedText[] = "the TPM is closed";

// Commands that may wait for one TPM.
constexpr size_t maxPending = 1024;

class OpenCall final : public Call {
 public:
  OpenCall(Napi::Env env, Opener opener) : Call(env, "open"), opener_(std::move(opener)) {}

 protected:
  TSS2_RC execute(Session &session) noexcept override { return session.open(opener_, why_); }

 private:
  Opener opener_;
};

class TransmitCall final : public Call {
 public:
  TransmitCall(Napi::Env env, Bytes command) : Call(env, "transmit"), command_(command.begin(), command.end()) {}

 protected:
  TSS2_RC execute(Session &session) noexcept override { return session.exchange(command_, response_); }
  Napi::Value value(Napi::Env env) override { return Napi::Buffer<uint8_t>::Copy(env, response_.data(), response_.size()); }

 private:
  SecretBytes command_;
  SecretBytes response_;
};

class CloseCall final : public Call {
 public:
  explicit CloseCall(Napi::Env env) : Call(env, "close") {}

 protected:
  TSS2_RC execute(Session &session) noexcept override {
    session.close();
    return TSS2_RC_SUCCESS;
  }
};

}  // namespace

EsysObject::EsysObject(const Napi::CallbackInfo &info) : ObjectWrap(info), opener_(openerFrom(info)) {
  delivery_ = Delivery::New(info.Env(), "node-tpm2-tss", 0, 1, this);
  delivery_.Unref(info.Env());
  worker_ = std::make_unique<Worker>([this](std::unique_ptr<Job> job) {
    // Every job of this worker is a Call. If the environment is closing, Node-API deletes nothing: it is done here.
    auto *call = static_cast<Call *>(job.release());
    if (delivery_.NonBlockingCall(call) != napi_ok) delete call;
  });
  // Cleanup hooks run last in, first out: this one before that of the thread-safe function, so the worker has ended by then.
  napi_add_env_cleanup_hook(info.Env(), endEnvironment, this);
}

// At garbage collection nothing is pending, so the worker is idle and ends at once.
EsysObject::~EsysObject() {
  if (!isReleased_) release();
}

void EsysObject::endEnvironment(void *data) {
  auto *self = static_cast<EsysObject *>(data);
  self->isReleased_ = true;  // the environment takes the thread-safe function down by itself
  self->isClosed_ = true;
  self->worker_->stop();
}

void EsysObject::release() {
  isReleased_ = true;
  worker_->stop();
  napi_remove_env_cleanup_hook(Env(), endEnvironment, this);
  delivery_.Release();
}

// Called on the JavaScript thread; with a null environment when that ends before a result was delivered.
void EsysObject::deliver(Napi::Env env, Napi::Function, EsysObject *self, Call *finished) {
  const std::unique_ptr<Call> call(finished);
  if (env == nullptr) return;
  if (dynamic_cast<CloseCall *>(finished) != nullptr) self->release();
  self->end();
  call->settle(env);
}

Napi::Value EsysObject::submit(std::unique_ptr<Call> call) {
  const Napi::Promise promise = call->promise();
  if (isClosed_) {
    call->refuse(Env(), TSS2_TCTI_RC_NO_CONNECTION, closedText);
  } else if (pending_ >= maxPending) {
    call->refuse(Env(), TSS2_TCTI_RC_TRY_AGAIN, std::to_string(maxPending) + " commands wait already");
  } else {
    begin();
    worker_->enqueue(std::move(call));
  }
  return promise;
}

// While a call is pending the event loop stays alive, and so does this object.
void EsysObject::begin() {
  if (pending_++ > 0) return;
  Ref();
  delivery_.Ref(Env());
}

void EsysObject::end() {
  if (--pending_ > 0) return;
  if (!isReleased_) delivery_.Unref(Env());
  Unref();
}

Napi::Value EsysObject::open(const Napi::CallbackInfo &info) { return submit(std::make_unique<OpenCall>(info.Env(), opener_)); }

Napi::Value EsysObject::transmit(const Napi::CallbackInfo &info) {
  Arguments arguments(info, "transmit", 1);
  const Napi::Value command = arguments.next();
  if (!isBytes(command) || command.As<Napi::Uint8Array>().ByteLength() > maxMessageBytes)
    throw arguments.refusal("a Uint8Array of at most " + std::to_string(maxMessageBytes) + " bytes wanted");
  return submit(std::make_unique<TransmitCall>(info.Env(), bytesOf(command.As<Napi::Uint8Array>())));
}

// The running command is finished, the ones that wait are refused, then the TPM is closed.
Napi::Value EsysObject::close(const Napi::CallbackInfo &info) {
  auto call = std::make_unique<CloseCall>(info.Env());
  if (isClosed_) return submit(std::move(call));
  isClosed_ = true;
  const Napi::Promise promise = call->promise();
  begin();
  for (const std::unique_ptr<Job> &waiting : worker_->finish(std::move(call))) {
    static_cast<Call &>(*waiting).refuse(info.Env(), TSS2_TCTI_RC_NO_CONNECTION, closedText);
    end();
  }
  return promise;
}

template <auto Function>
Napi::Value EsysObject::command(const Napi::CallbackInfo &info) {
  return submit(std::make_unique<Command<Function>>(info, static_cast<const char *>(info.Data())));
}

Napi::Function EsysObject::define(Napi::Env env) {
  // `process.exit` and an uncaught error run no cleanup hook of the main thread: the worker goes on until the process is gone,
  // and OpenSSL must not free beneath it what it works with (OPENSSL_init_crypto(3), "atexit"). It counts when it comes first.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
#define ENIGM_COMMAND_ROW(NAME, FUNCTION) \
  InstanceMethod<&EsysObject::command<FUNCTION>>(NAME, napi_default_method, const_cast<char *>(NAME)),
  return DefineClass(env, "Esys",
                     {ENIGM_COMMANDS(ENIGM_COMMAND_ROW)  //
                      InstanceMethod<&EsysObject::open>("open", napi_default_method),
                      InstanceMethod<&EsysObject::transmit>("transmit", napi_default_method),
                      InstanceMethod<&EsysObject::close>("close", napi_default_method)});
}

}  // namespace enigm
