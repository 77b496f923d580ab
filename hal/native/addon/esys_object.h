// The JavaScript class `Esys`: one TPM, its worker thread, and one thread-safe function for all its promises.
#pragma once

#include <memory>

#include <napi.h>

#include "call.h"
#include "tcti.h"

namespace enigm {

// Which transports a build has: read from the arguments of `new Esys(kind, …)`; throws for any other.
Opener openerFrom(const Napi::CallbackInfo &info);

class EsysObject final : public Napi::ObjectWrap<EsysObject> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit EsysObject(const Napi::CallbackInfo &info);
  ~EsysObject() override;

 private:
  static void deliver(Napi::Env env, Napi::Function, EsysObject *self, Call *finished);
  static void endEnvironment(void *self);
  using Delivery = Napi::TypedThreadSafeFunction<EsysObject, Call, &EsysObject::deliver>;

  template <auto Function>
  Napi::Value command(const Napi::CallbackInfo &info);
  Napi::Value open(const Napi::CallbackInfo &info);
  Napi::Value transmit(const Napi::CallbackInfo &info);
  Napi::Value close(const Napi::CallbackInfo &info);

  Napi::Value submit(std::unique_ptr<Call> call);
  void begin();
  void end();
  void release();

  Opener opener_;
  Delivery delivery_;
  size_t pending_ = 0;
  bool isClosed_ = false;
  bool isReleased_ = false;
  std::unique_ptr<Worker> worker_;
};

}  // namespace enigm
