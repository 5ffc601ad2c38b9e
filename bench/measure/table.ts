import type { Row } from './rounds.ts';

/** Rows as a Markdown table, one column for each figure. */
export function table(title: string, rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = rows.map(({ name, figures }) => line([name, ...columns.map((column) => number(figures[column]))]));
  return [`### ${title}`, '', line(['', ...columns]), line(['---', ...columns.map(() => '---:')]), ...body, ''].join(
    '\n',
  );
}

function number(value: number | undefined): string {
  if (value === undefined) return '';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
