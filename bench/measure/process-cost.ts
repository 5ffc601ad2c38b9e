import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts process times in hundredths of a second, whatever the kernel's own tick (proc(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
/** proc(5), /proc/PID/stat, counted after the name in brackets, which may itself hold spaces: state is 0. */
const PARENT = 1;
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Seconds of CPU, user and system, that `pid` and its living descendants have used so far. 0 where there is no /proc. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of family(pid)) {
    const fields = statOf(member);
    if (fields) ticks += Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of `pid` and its living descendants, in KiB. */
export function residentKiB(pid: number): number {
  let total = 0;
  for (const member of family(pid)) total += residentOf(member);
  return total;
}

function family(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const parent = Number(statOf(pid)?.[PARENT]);
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  const members = [root];
  for (let index = 0; index < members.length; index++) members.push(...(children.get(members[index]!) ?? []));
  return members;
}

function processes(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // It ended in between.
  }
}

function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
