import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTestCertificate } from './certificate.ts';
import { freePorts } from '../../bench/measure/ports.ts';
import { startProxy, type ByteProxy } from './byte-proxies.ts';
import { STREAM_MODULE, type Program } from './programs.ts';
import { ROOT } from './sources.ts';

/** The configurations that the documents in `docs/deploy/` show, and people paste. */
export function recipe(name: string): string {
  return readFileSync(join(ROOT, 'docs/deploy/conf', name), 'utf8');
}

/** A proxy that runs by a recipe, and the address of each of its public ports, as users would write it. */
export interface RecipeProxy {
  /** `1935`, `80` or `443` of the recipe: the port that stands for it here. */
  readonly port: (published: number) => number;
  stop(): Promise<void>;
}

/** Where the gateway's ports are that recipes call 8080 and 19350. */
export interface Behind {
  readonly http: number;
  readonly bytes: number;
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** One program's way of running a recipe without the rest of a machine around it. */
interface Kind {
  readonly program: Program;
  readonly file: string;
  readonly published: readonly number[];
  /** The whole configuration, from the recipe with ports and files already replaced. */
  readonly whole: (recipe: string, folder: string, ports: ReadonlyMap<number, number>) => string;
  readonly command: (file: string, folder: string) => readonly [program: string, ...args: string[]];
  /** How the recipe writes a public port; group 1 stays in front of it, group 2 behind. */
  readonly portPattern: (published: number) => RegExp;
}

const NGINX_HEAD = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events { worker_connections 512; }
`;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const APACHE_MODULES =
  'mpm_event authz_core macro proxy proxy_http ssl headers setenvif reqtimeout socache_shmcb'.split(' ');

const nginxCommand = (file: string, folder: string) => ['nginx', '-p', folder, '-c', file, '-e', 'stderr'] as const;
const listenPattern = (published: number): RegExp => new RegExp(`(listen (?:\\[::\\]:)?)${published}([ ;])`, 'g');

/** Every recipe that is a program's configuration. */
export const KINDS = {
  'nginx-tunnel': {
    program: 'nginx-stream',
    file: 'nginx-tunnel.conf',
    published: [80, 443],
    whole: (text) =>
      `${NGINX_HEAD}http {\n${TEMPORARY.map((name) => `${name}_temp_path ${name};`).join('\n')}\naccess_log off;\n${text}}\n`,
    command: nginxCommand,
    portPattern: listenPattern,
  },
  'nginx-stream': {
    program: 'nginx-stream',
    file: 'nginx-stream.conf',
    published: [1935, 443],
    whole: (text, folder) => `load_module ${STREAM_MODULE};\n${NGINX_HEAD}${replaced(text, '/var/log/nginx', folder)}`,
    command: nginxCommand,
    portPattern: listenPattern,
  },
  haproxy: {
    program: 'haproxy',
    file: 'haproxy.cfg',
    published: [1935, 443, 80],
    // Fewer connections: a test may not be allowed 40,000 descriptors.
    whole: (text) =>
      replaced(replaced(text, 'log /dev/log local0', 'log stderr local0'), 'maxconn 20000', 'maxconn 500'),
    command: (file) => ['haproxy', '-db', '-f', file],
    portPattern: (published) => new RegExp(`(bind :::)${published}( )`, 'g'),
  },
  caddy: {
    program: 'caddy',
    file: 'Caddyfile',
    published: [80, 443],
    // No certificate from outside: Caddy's own authority, for the name localhost.
    whole: (text, _, ports) =>
      replaced(
        replaced(text, 'live.example.com', 'localhost'),
        'auto_https disable_redirects',
        `auto_https disable_redirects\nadmin off\nskip_install_trust\nhttp_port ${ports.get(80)}\nhttps_port ${ports.get(443)}`,
      ),
    command: (file, folder) => [
      'env',
      `XDG_DATA_HOME=${folder}`,
      `XDG_CONFIG_HOME=${folder}`,
      'caddy',
      'run',
      '--adapter',
      'caddyfile',
      '--config',
      file,
    ],
    portPattern: () => /()https?:\/\/()/g,
  },
  apache: {
    program: 'apache2',
    file: 'apache.conf',
    published: [80, 443],
    whole: (text, folder, ports) => apacheHead(folder, ports) + replaced(text, '${APACHE_LOG_DIR}', folder),
    command: (file, folder) => ['apache2', '-X', '-d', folder, '-f', file],
    portPattern: (published) => new RegExp(`(<VirtualHost \\*:)${published}(>)`, 'g'),
  },
} as const satisfies Record<string, Kind>;

export type RecipeName = keyof typeof KINDS;

/** Runs the program of a recipe by it: on free ports instead of the public ones, with a certificate of its own. */
export async function startRecipe(name: RecipeName, behind: Behind): Promise<RecipeProxy> {
  const kind: Kind = KINDS[name];
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-recipe-'));
  const certificate = await writeCertificate(folder);
  const numbers = await freePorts(kind.published.length);
  const ports = new Map(kind.published.map((published, index) => [published, numbers[index]!]));
  const text = kind.whole(adapted(kind, ports, behind, certificate), folder, ports);
  const proxy: ByteProxy = await startProxy('env', text, numbers, (file) => [...kind.command(file, folder)]);
  return {
    port: (published) => ports.get(published)!,
    async stop() {
      await proxy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function adapted(kind: Kind, ports: ReadonlyMap<number, number>, behind: Behind, { cert, key }: Certificate): string {
  let text = recipe(kind.file)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${behind.http}`)
    .replaceAll('127.0.0.1:19350', `127.0.0.1:${behind.bytes}`)
    .replaceAll('/etc/letsencrypt/live/live.example.com/fullchain.pem', cert)
    .replaceAll('/etc/letsencrypt/live/live.example.com/privkey.pem', key);
  if (kind.file === 'Caddyfile') return text;
  for (const [published, port] of ports) {
    const pattern = kind.portPattern(published);
    if (!pattern.test(text)) throw new Error(`${kind.file} says nothing of port ${published}`);
    text = text.replaceAll(pattern, `$1${port}$2`);
  }
  return text;
}

function apacheHead(folder: string, ports: ReadonlyMap<number, number>): string {
  const modules = APACHE_MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const own = [
    `ServerName localhost`,
    `PidFile ${folder}/pid`,
    `DefaultRuntimeDir ${folder}`,
    `ErrorLog ${folder}/error.log`,
  ];
  const logFormat = String.raw`LogFormat "%h %l %u %t \"%r\" %>s %O" combined`;
  return [...modules, ...own, logFormat, ...[...ports.values()].map((port) => `Listen ${port}`), ''].join('\n');
}

/** Replaces what must be there: a recipe that changed so that this finds nothing is not the one that is tested. */
function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the recipe has no "${from}"`);
  return text.replaceAll(from, to);
}

async function writeCertificate(folder: string): Promise<Certificate> {
  const { cert, key } = await makeTestCertificate();
  const files = { cert: join(folder, 'fullchain.pem'), key: join(folder, 'privkey.pem') };
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
  return files;
}
