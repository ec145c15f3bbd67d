/** Everybody's, in tests. */
export const PASSWORD = 'heron lamp gravel quiet';
