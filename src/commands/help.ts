import { DEFAULT_FILE } from '../config/index.ts';

const COMMON = `  -h, --help                      this text`;

const STATUS = `Exit status: 0 done, 1 failed, 2 wrong usage or configuration.`;

/** `rtmp-gateway --help` and `rtmp-gateway serve --help`. */
export const SERVE_HELP = `Usage: rtmp-gateway [serve] [flags]
       rtmp-gateway check FILE
       rtmp-gateway certs COMMAND …

Serves RTMP, RTMPS, RTMPT and RTMPTS: what is published over one of them plays over all of them.
Every port recognises each connection by its first bytes, so any of them will do for any of these.

Commands
  serve                           runs the gateway; the default
  check FILE                      validates a configuration file and prints what it comes to
  certs COMMAND                   makes, converts and examines certificates

Flags of serve, each a shorthand for a key of the configuration file
  --config FILE                   the configuration file (default: ${DEFAULT_FILE}, if there is one)
  --rtmp [HOST:]PORT              a door for RTMP (default: 1935)
  --http [HOST:]PORT              a door for HTTP (default: 8080)
  --https [HOST:]PORT             a door for TLS (default: 8443)
  --certs DIR                     where certificates are (default: certs); one for development is made
                                  there when there is none
  --log-level LEVEL               debug, info, warn, error or silent (default: info)
  --admin [HOST:]PORT             the API for those who run the gateway (default: off; host 127.0.0.1)
  --upstream URL                  an RTMP server to bring clients to, as rtmp[s]://HOST[:PORT]; may come
                                  several times (default: none, RTMP ends here)
${COMMON}
      --version                   the version

Port 0 takes a free port, "off" leaves that door out. If the file lists its own doors, --rtmp, --http and
--https stand for those on ports 1935, 8080 and 8443, or add one.

SIGTERM and SIGINT drain and stop; a second one stops at once. SIGHUP reads certificates and rules for
relays again.
${STATUS}
`;

/** `rtmp-gateway check --help` */
export const CHECK_HELP = `Usage: rtmp-gateway check FILE

Validates a configuration file and prints the effective configuration, defaults filled in and secrets
hidden. If the file is wrong, says every line and the reason, and exits with status 2.

  ${COMMON.trimStart()}

${STATUS}
`;
