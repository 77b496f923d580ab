/** For people: RFC 3339 in UTC; a number that is no time, such as some file may have, as it is. */
export const instantText = (timeMs: number): string => {
  const instant = new Date(timeMs);
  return Number.isNaN(instant.getTime()) ? `${timeMs} ms` : instant.toISOString();
};
