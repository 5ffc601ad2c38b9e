import { openTunnelPort } from '../support/tunnel-way.ts';
import { describeFaults } from './faults.ts';

describeFaults('rtmpt (own engine)', (handler) => openTunnelPort('own', false, handler));

describeFaults('rtmpt (router engine)', (handler) => openTunnelPort('router', false, handler));
