/* The title of a conversation, from its first message: one line, at most 200 bytes, as the server wants it. */
const MOST_CHARACTERS = 48;

export function titleOf(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS - 1).join('').trimEnd()}…` : line;
}
