import type { SpliceInfo, SpliceMark } from '../../media/index.ts';

export const DATE_RANGE_LIMITS = Object.freeze({
  /** Markers in a playlist, the newest: four breaks whose beginning and end are each said in two ways. */
  maxRanges: 32,
  /** A break may be so much longer than planned; then its end has been lost. */
  maxOverrunMs: 60_000,
  /** A break of unknown length without an end: longer than any block of advertisements. */
  maxOpenMs: 3_600_000,
  /** The same said again within so long, as encoders do for those who join, is no news. */
  repeatMs: 10_000,
});

/** One range of time; all dates in milliseconds since 1970. */
interface DateRange {
  readonly id: string;
  readonly mark: SpliceMark;
  readonly section: Buffer;
  readonly start: number;
  /** Its tags in the playlist: one that announces it, and one that ends it. */
  readonly lines: string[];
  /** When it ended; undefined as long as nobody said so. */
  end: number | undefined;
}

/**
 * SCTE-35 as EXT-X-DATERANGE (RFC 8216bis, 4.4.5.1). What has been said once is never changed: the end of a range is a tag of its own with
 * the same id.
 */
export class DateRanges {
  #ranges: DateRange[] = [];

  /** `date`: when the splice happens. `said`: when it was announced. */
  add({ section, marks }: SpliceInfo, date: number, said: number): void {
    for (const mark of marks) {
      if (mark.cancels) this.#cancel(mark, said);
      else if (mark.role === 'out') this.#leave(mark, section, date);
      else if (mark.role === 'in') this.#comeBack(mark, section, date);
      else this.#tell(mark, section, date);
    }
    if (this.#ranges.length > DATE_RANGE_LIMITS.maxRanges)
      this.#ranges = this.#ranges.slice(-DATE_RANGE_LIMITS.maxRanges);
  }

  /** The tags of a playlist that begins at `from`. */
  lines(from: number): string[] {
    return this.#ranges.filter((range) => endOf(range) >= from).flatMap(({ lines }) => lines);
  }

  /** A splice that is not going to happen is not shown (4.4.5.1.1); one that is under way has happened. */
  #cancel({ key }: SpliceMark, said: number): void {
    const isMeant = ({ mark, start, end }: DateRange): boolean =>
      end === undefined && start > said && (mark.key === key || mark.key.startsWith(`${key}-`));
    this.#ranges = this.#ranges.filter((range) => !isMeant(range));
  }

  #leave(mark: SpliceMark, section: Buffer, date: number): void {
    if (this.#open(mark, date) !== undefined) return;
    const range = this.#begin(mark, section, date);
    const planned = mark.durationMs === undefined ? [] : [`PLANNED-DURATION=${mark.durationMs / 1000}`];
    range.lines.push(tag(range, [...planned, `SCTE35-OUT=${hex(section)}`]));
  }

  #comeBack(mark: SpliceMark, section: Buffer, date: number): void {
    const open = this.#open(mark, date);
    if (open === undefined && this.#isRepeated(mark, date)) return;
    // Without its beginning, as when the stream was not watched then, it is a range of no length.
    const range = open ?? this.#onlyBreak(mark, date) ?? this.#begin(mark, section, date);
    range.end = Math.max(range.start, date);
    const ends = [`END-DATE="${iso(range.end)}"`, `DURATION=${(range.end - range.start) / 1000}`];
    range.lines.push(tag(range, [...ends, `SCTE35-IN=${hex(section)}`]));
  }

  #tell(mark: SpliceMark, section: Buffer, date: number): void {
    const { repeatMs } = DATE_RANGE_LIMITS;
    const isSame = (range: DateRange): boolean =>
      range.section.equals(section) && range.mark.key === mark.key && Math.abs(range.start - date) < repeatMs;
    if (this.#ranges.some(isSame)) return;
    const range = this.#begin(mark, section, date);
    const planned = mark.durationMs === undefined ? [] : [`PLANNED-DURATION=${mark.durationMs / 1000}`];
    range.lines.push(tag(range, [...planned, `SCTE35-CMD=${hex(section)}`]));
  }

  #begin(mark: SpliceMark, section: Buffer, start: number): DateRange {
    const range: DateRange = { id: this.#freeId(mark.key, start), mark, section, start, lines: [], end: undefined };
    this.#ranges.push(range);
    return range;
  }

  /** An event's number may come again (4.4.5.1.1): with the time it does not. */
  #freeId(key: string, start: number): string {
    const id = `${key}-${Math.round(start)}`;
    const isTaken = (candidate: string): boolean => this.#ranges.some((range) => range.id === candidate);
    let free = id;
    for (let count = 2; isTaken(free); count++) free = `${id}-${count}`;
    return free;
  }

  /** The break of this pair that is announced or under way. */
  #open({ key }: SpliceMark, date: number): DateRange | undefined {
    return this.#ranges.findLast((range) => isOpen(range, date) && range.mark.key === key);
  }

  /** Some number the way back from a splice_insert anew: it ends the one break that there is. */
  #onlyBreak({ key }: SpliceMark, date: number): DateRange | undefined {
    const isInsert = (text: string): boolean => !text.includes('-');
    const open = this.#ranges.filter((range) => isOpen(range, date) && isInsert(range.mark.key));
    return isInsert(key) && open.length === 1 ? open[0] : undefined;
  }

  #isRepeated({ key }: SpliceMark, date: number): boolean {
    const isSame = ({ mark, end }: DateRange): boolean =>
      mark.key === key && end !== undefined && Math.abs(end - date) < DATE_RANGE_LIMITS.repeatMs;
    return this.#ranges.some(isSame);
  }
}

function isOpen(range: DateRange, date: number): boolean {
  return range.mark.role === 'out' && range.end === undefined && endOf(range) > date;
}

/** When a range is over, by all that is known. */
function endOf({ mark, start, end }: DateRange): number {
  const { maxOverrunMs, maxOpenMs } = DATE_RANGE_LIMITS;
  if (end !== undefined) return end;
  if (mark.role !== 'out') return start + (mark.durationMs ?? 0);
  if (mark.durationMs === undefined) return start + maxOpenMs;
  return start + mark.durationMs + (mark.returnsByItself ? 0 : maxOverrunMs);
}

function tag({ id, start }: DateRange, attributes: readonly string[]): string {
  return `#EXT-X-DATERANGE:${[`ID="${id}"`, `START-DATE="${iso(start)}"`, ...attributes].join(',')}`;
}

function iso(date: number): string {
  return new Date(date).toISOString();
}

function hex(bytes: Buffer): string {
  return `0x${bytes.toString('hex').toUpperCase()}`;
}
