/**
 * How long a text may be. What was pasted is never cut off: it is counted, in red once it is too long, and what is beyond is
 * for the person to shorten.
 */
export const longest = (max: number) => ({ max, show: ({ count }: { count: number }) => (count > max * 0.8 ? `${count} / ${max}` : '') })
