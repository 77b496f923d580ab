/** Every row of the mission, section by section. */
import type { Section } from './row.ts';
import { audit } from './rows/audit.ts';
import { boundaries } from './rows/boundaries.ts';
import { capabilities } from './rows/capabilities.ts';
import { failures } from './rows/failures.ts';
import { inputs } from './rows/inputs.ts';
import { principles } from './rows/principles.ts';
import { systems } from './rows/systems.ts';

export const sections: readonly Section[] = [systems, capabilities, inputs, principles, boundaries, failures, audit];
