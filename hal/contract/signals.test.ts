import { memorySignals } from '#hal/memory/signals';
import { signalsContract } from './signals.ts';

signalsContract('memory', () => {
  const signals = memorySignals();
  return { signals, offer: signals.offer };
});
