// One call from JavaScript: the work on the worker thread, and the promise that it settles.
#pragma once

#include <string>

#include <napi.h>
#include <tss2/tss2_rc.h>

#include "worker.h"

namespace enigm {

class Call : public Job {
 public:
  // @param name a literal: it stands in error messages
  Call(Napi::Env env, const char *name) : name_(name), deferred_(env) {}

  const char *name() const { return name_; }
  Napi::Promise promise() const { return deferred_.Promise(); }

  void run(Session &session) noexcept final { rc_ = execute(session); }

  // On the JavaScript thread, after `run`.
  void settle(Napi::Env env) {
    if (rc_ == TSS2_RC_SUCCESS)
      deferred_.Resolve(value(env));
    else
      refuse(env, rc_, why_.empty() ? Tss2_RC_Decode(rc_) : why_);
  }

  // Reject with an Error that has `rc`, the TSS2_RC or TPM_RC as a number.
  void refuse(Napi::Env env, TSS2_RC rc, const std::string &why) {
    const Napi::Error error = Napi::Error::New(env, std::string(name_) + ": " + why);
    error.Set("name", "TpmError");
    error.Set("rc", Napi::Number::New(env, rc));
    deferred_.Reject(error.Value());
  }

 protected:
  virtual TSS2_RC execute(Session &session) noexcept = 0;
  // What the promise gives, after success.
  virtual Napi::Value value(Napi::Env env) { return env.Undefined(); }

  std::string why_;  // set by `execute` where it knows better than Tss2_RC_Decode

 private:
  const char *name_;
  Napi::Promise::Deferred deferred_;
  TSS2_RC rc_ = TSS2_RC_SUCCESS;
};

}  // namespace enigm
