/** Every kind of vector file that the runner knows. A new kind is one file and one line here. */
import type { Kind } from './kind.ts';
import { chacha20Poly1305 } from './kinds/chacha20-poly1305.ts';
import { cpace } from './kinds/cpace.ts';
import { ed25519 } from './kinds/ed25519.ts';
import { framing } from './kinds/framing.ts';
import { hkdfSha256 } from './kinds/hkdf-sha256.ts';
import { hpke } from './kinds/hpke.ts';
import { mlDsaExpandedSigning, mlDsaSigning, mlDsaVerification } from './kinds/ml-dsa.ts';
import { mlKemDecapsulation, mlKemEncapsulation, mlKemKeyGeneration } from './kinds/ml-kem.ts';
import { noise } from './kinds/noise.ts';
import { x25519 } from './kinds/x25519.ts';
import { xWing } from './kinds/xwing.ts';

export const kinds: readonly Kind[] = [
  x25519,
  ed25519,
  chacha20Poly1305,
  hkdfSha256,
  mlKemDecapsulation,
  mlKemEncapsulation,
  mlKemKeyGeneration,
  ...mlDsaVerification,
  ...mlDsaSigning,
  ...mlDsaExpandedSigning,
  xWing,
  hpke,
  cpace,
  noise,
  framing,
];
