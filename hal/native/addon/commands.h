// Every ESYS function that JavaScript may call, one line each: the name there, and the function. Arguments and results
// are those of the C function in its order, without the context; the template in `command.h` reads them from its type.
#pragma once

#include "handles.h"

#define ENIGM_COMMANDS(ROW) \
  ROW("Startup", Esys_Startup) \
  ROW("Shutdown", Esys_Shutdown) \
  ROW("SelfTest", Esys_SelfTest) \
  ROW("GetRandom", Esys_GetRandom) \
  ROW("GetCapability", Esys_GetCapability) \
  ROW("StartAuthSession", Esys_StartAuthSession) \
  ROW("TRSess_SetAttributes", Esys_TRSess_SetAttributes) \
  ROW("PolicySecret", Esys_PolicySecret) \
  ROW("PolicyPCR", Esys_PolicyPCR) \
  ROW("PolicyAuthorize", Esys_PolicyAuthorize) \
  ROW("PolicyAuthorizeNV", Esys_PolicyAuthorizeNV) \
  ROW("PolicyCommandCode", Esys_PolicyCommandCode) \
  ROW("PolicyCpHash", Esys_PolicyCpHash) \
  ROW("PolicyNameHash", Esys_PolicyNameHash) \
  ROW("PolicyNV", Esys_PolicyNV) \
  ROW("PolicyAuthValue", Esys_PolicyAuthValue) \
  ROW("PolicyGetDigest", Esys_PolicyGetDigest) \
  ROW("CreatePrimary", Esys_CreatePrimary) \
  ROW("Create", Esys_Create) \
  ROW("Load", Esys_Load) \
  ROW("LoadExternal", Esys_LoadExternal) \
  ROW("ReadPublic", Esys_ReadPublic) \
  ROW("FlushContext", Esys_FlushContext) \
  ROW("EvictControl", Esys_EvictControl) \
  ROW("TR_FromTPMPublic", Esys_TR_FromTPMPublic) \
  ROW("TR_SetAuth", Esys_TR_SetAuth) \
  ROW("TR_GetName", Esys_TR_GetName) \
  ROW("TR_Close", closeHandle) \
  ROW("TR_Serialize", serializeHandle) \
  ROW("TR_Deserialize", deserializeHandle) \
  ROW("MakeCredential", Esys_MakeCredential) \
  ROW("ActivateCredential", Esys_ActivateCredential) \
  ROW("Unseal", Esys_Unseal) \
  ROW("Certify", Esys_Certify) \
  ROW("Quote", Esys_Quote) \
  ROW("GetTime", Esys_GetTime) \
  ROW("ReadClock", Esys_ReadClock) \
  ROW("Sign", Esys_Sign) \
  ROW("VerifySignature", Esys_VerifySignature) \
  ROW("PCR_Extend", Esys_PCR_Extend) \
  ROW("PCR_Event", Esys_PCR_Event) \
  ROW("PCR_Read", Esys_PCR_Read) \
  ROW("PCR_Reset", Esys_PCR_Reset) \
  ROW("PCR_Allocate", Esys_PCR_Allocate) \
  ROW("NV_DefineSpace", Esys_NV_DefineSpace) \
  ROW("NV_UndefineSpace", Esys_NV_UndefineSpace) \
  ROW("NV_Read", Esys_NV_Read) \
  ROW("NV_Write", Esys_NV_Write) \
  ROW("NV_Increment", Esys_NV_Increment) \
  ROW("NV_Extend", Esys_NV_Extend) \
  ROW("NV_SetBits", Esys_NV_SetBits) \
  ROW("NV_ReadPublic", Esys_NV_ReadPublic) \
  ROW("HierarchyChangeAuth", Esys_HierarchyChangeAuth) \
  ROW("SetPrimaryPolicy", Esys_SetPrimaryPolicy) \
  ROW("Clear", Esys_Clear) \
  ROW("ClearControl", Esys_ClearControl)
