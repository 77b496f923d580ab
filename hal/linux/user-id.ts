/** Users by their names (passwd(5)): packages cannot know the numbers that a machine gives them. */
import { readFileSync } from 'node:fs';
import { attempt, deny, ok, type Result } from '#hal/core/result';

/**
 * @param user a name of the machine's own list, or a number
 * @returns the number, or `protocol/config-invalid` for a name that nobody has
 */
export const userIdOf = (user: string, list = '/etc/passwd'): Result<number> => {
  if (/^\d{1,10}$/.test(user)) return ok(Number(user));
  const text = attempt(
    () => readFileSync(list, 'utf8'),
    (cause) => deny('protocol', 'config-invalid', cause),
  );
  if (!text.ok) return text;
  const fields = text.value.split('\n').map((line) => line.split(':'));
  const id = fields.find(([name]) => name === user)?.[2] ?? '';
  return /^\d{1,10}$/.test(id) ? ok(Number(id)) : deny('protocol', 'config-invalid', `no user ${user}`);
};
