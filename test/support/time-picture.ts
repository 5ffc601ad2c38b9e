import { spawn, type ChildProcess } from 'node:child_process';

const WIDTH = 320;
const HEIGHT = 192;
const FPS = 30;
const BITS = 16;
/** Milliseconds that the picture can tell apart before it begins again. */
const SPAN = 2 ** BITS;

/** Publishes pictures that show when they were made: a clock of sixteen bars, the highest bit on the left. */
export function publishClock(url: string): { readonly child: ChildProcess; stop(): void } {
  const child = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS)],
      ...['-use_wallclock_as_timestamps', '1', '-i', '-', '-f', 'lavfi', '-i', 'anullsrc=r=48000'],
      ...['-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'],
      ...[
        '-pix_fmt',
        'yuv420p',
        '-g',
        '60',
        '-c:a',
        'aac',
        '-shortest',
        '-f',
        'flv',
        '-flvflags',
        'no_duration_filesize',
        url,
      ],
    ],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  child.stdin!.on('error', () => {});
  const timer = setInterval(() => child.stdin!.write(picture(Date.now() % SPAN)), 1000 / FPS);
  return {
    child,
    stop() {
      clearInterval(timer);
      child.kill('SIGKILL');
    },
  };
}

function picture(time: number): Buffer {
  const row = Buffer.alloc(WIDTH);
  const bar = WIDTH / BITS;
  for (let x = 0; x < WIDTH; x++) row[x] = (time >> (BITS - 1 - Math.floor(x / bar))) & 1 ? 235 : 16;
  return Buffer.concat(Array.from({ length: HEIGHT }, () => row));
}

/** For the browser: milliseconds from when the shown picture was made until now. */
export const READ_DELAY = `(() => {
  const video = document.querySelector('video');
  const canvas = document.createElement('canvas');
  canvas.width = ${WIDTH};
  canvas.height = ${HEIGHT};
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, ${WIDTH}, ${HEIGHT});
  const now = Date.now() % ${SPAN};
  const row = context.getImageData(0, ${HEIGHT / 2}, ${WIDTH}, 1).data;
  let time = 0;
  for (let bit = 0; bit < ${BITS}; bit++) time = time * 2 + (row[4 * Math.floor((bit + 0.5) * ${WIDTH / BITS})] > 125 ? 1 : 0);
  return (now - time + ${SPAN}) % ${SPAN};
})()`;
