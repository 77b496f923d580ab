/** Which keys a role is given and how many of them must sign (TUF 1.0 §4.3, ROLE; §4.5 for delegated roles). */
import { type Decoded, type Decoder, integer, list, text } from '#hal/core/config';
import { deny } from '#hal/core/result';
import { fields } from './fields.ts';
import { maxKeys } from './limits.ts';

export const anyText = text(/^.{1,1024}$/su, 'text of 1 to 1024 characters');

/** An id stands once. */
const keyIds: Decoder<readonly string[]> = (value, path = '') => {
  const decoded = list(anyText, maxKeys)(value, path);
  if (!decoded.ok) return decoded;
  return new Set(decoded.value).size === decoded.value.length
    ? decoded
    : deny('protocol', 'field-invalid', `${path}: expected each key id once`);
};

export const roleKeysShape = { keyids: keyIds, threshold: integer(1, maxKeys) };
export const roleKeys = fields(roleKeysShape);
export type RoleKeys = Decoded<typeof roleKeys>;
