/** The known name nearest to a wrong one; undefined if none is near (a third of its letters, at most three). */
export function suggestName(wrong: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(wrong.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (distance >= bestDistance) continue;
    bestDistance = distance;
    best = name;
  }
  return best;
}

/** Levenshtein: insertions, deletions and substitutions from one text to the other. */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const substituted = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substituted));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
