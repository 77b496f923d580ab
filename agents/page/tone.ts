/** What a state means to its reader; colour, shape and word follow from it. */
export type Tone = 'good' | 'attention' | 'bad' | 'unknown';
