/* Reads server-sent events from text that arrives in pieces, as the HTML standard describes it (section
 * 9.2.6), as far as a reply to a POST needs it: what matters is the data. Names, ids and retry times are
 * skipped. */
export class EventStreamParser {
  private rest = '';
  private data: string[] = [];
  private isFirst = true;
  private endsWithReturn = false;

  /* The data of the events that are complete with this piece. */
  push(piece: string): string[] {
    if (piece === '') return [];
    if (this.isFirst && piece.charCodeAt(0) === 0xfeff) piece = piece.slice(1);
    this.isFirst = false;
    /* A line may end in CR LF, and the pieces may part the two. */
    if (this.endsWithReturn && piece.startsWith('\n')) piece = piece.slice(1);
    this.endsWithReturn = piece === '' ? false : piece.endsWith('\r');
    const lines = (this.rest + piece).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    const events: string[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) events.push(this.data.join('\n'));
        this.data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      if (name !== 'data') continue;
      const value = colon < 0 ? '' : line.slice(colon + 1);
      this.data.push(value.startsWith(' ') ? value.slice(1) : value);
    }
    return events;
  }
}
