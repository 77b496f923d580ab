import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { durableStoreContract } from '#hal/contract/durable-store';
import { unwrap } from '#hal/core/result';
import { openDurableStore } from '#hal/linux/durable-store';
import { memoryStore } from '#hal/memory/durable-store';

const directory = mkdtempSync(join(tmpdir(), 'enigm-store-'));
afterAll(() => rmSync(directory, { recursive: true }));
const kept = new Map<string, Uint8Array>();

durableStoreContract('linux', () => unwrap(openDurableStore(join(directory, 'store.db'))));
durableStoreContract('memory', () => memoryStore(kept));
