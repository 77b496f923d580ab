import { describe, expect, test } from 'vitest';
import { english } from '#agents/posture/english';
import { findingKinds } from '#agents/posture/findings';
import type { Posture } from '#protos/gen/types';
import { contentOf, documentOf } from './document.ts';
import { samplePosture, samples } from './testing.ts';
import { viewOf } from './view.ts';

const view = (posture: Posture, atBootMs = 0, nextStep = 'nothing') =>
  viewOf({ kind: 'measured', posture, nextStep, atBootMs: 0 }, [], atBootMs);

describe('the document', () => {
  test('shows each finding with state, value, items at fault, age, why and remedy', () => {
    const text = contentOf(view(samples.reduced)).text;
    for (const { id } of findingKinds) expect(text).toContain(`id="finding-${id}"`);
    for (const part of [
      'tcp/0.0.0.0:22',
      '2-reachable',
      english.findings['listening-sockets']?.why ?? '',
      'fails',
      'measured 0 s ago',
    ])
      expect(text).toContain(part);
    for (const limit of english.limits) expect(text).toContain(limit.replaceAll("'", '&#39;'));
  });

  test('escapes every value that came from the feed', () => {
    const hostile = '<script>alert(1)</script>';
    const posture = samplePosture(
      { swap: { result: 'fail', value: hostile, items: [hostile] }, tpm: { id: hostile } },
      { headline: hostile },
    );
    const text = documentOf(view(posture, 0, hostile), 'nonce');
    expect(text.match(/<script\b[^>]*>/g)).toEqual(['<script type="module" src="/client.js" nonce="nonce">']);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('gives an alarm its role, and only an alarm', () => {
    expect(contentOf(view(samples.suspended)).text).toContain('role="alert"');
    for (const posture of [samples.good, samples.reduced, samples.atRisk])
      expect(contentOf(view(posture)).text).not.toContain('role="alert"');
  });

  test('renews itself where scripts are off', () => {
    expect(documentOf(view(samples.good), 'nonce')).toContain('<noscript><meta http-equiv="refresh" content="30"></noscript>');
  });
});
