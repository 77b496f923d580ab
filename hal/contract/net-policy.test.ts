import { memoryNetPolicy } from '#hal/memory/net-policy';
import { netPolicyContract } from './net-policy.ts';

netPolicyContract('memory', async () => memoryNetPolicy());
