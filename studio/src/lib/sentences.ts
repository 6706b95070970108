/* Parts a text that arrives in pieces into stretches worth saying: a screen reader that is told every token
 * stammers, and one that is told at the end alone keeps its listener waiting. */
export class SentenceSplitter {
  private rest = '';

  /* What has become complete with this piece; '' when nothing has. */
  push(piece: string): string {
    this.rest += piece;
    let end = 0;
    for (const match of this.rest.matchAll(/[.!?…]["'”’)\]]*\s+|\n+/g)) end = match.index + match[0].length;
    /* Text without an end in sight is said in stretches. */
    if (end === 0 && this.rest.length > 240) end = this.rest.lastIndexOf(' ', 240) + 1;
    const said = this.rest.slice(0, end).trim();
    this.rest = this.rest.slice(end);
    return said;
  }

  /* What is left when the text ends. */
  finish(): string {
    const said = this.rest.trim();
    this.rest = '';
    return said;
  }
}
