//! Flows of a slow stream are handed out as they come, whatever the format.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use dais_traffic::{FlowReader, ReadOptions};

/// A pipe: what is sent can be read, and reading waits for more until the sender is gone.
struct Pipe {
    sent: Receiver<Vec<u8>>,
    unread: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.unread.is_empty() {
            // A reader that wants more than it needs would wait for ever: the bound makes it fail instead.
            match self.sent.recv_timeout(Duration::from_mins(1)) {
                Ok(bytes) => self.unread = bytes,
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        let count = buffer.len().min(self.unread.len());
        buffer[..count].copy_from_slice(&self.unread[..count]);
        self.unread.drain(..count);
        Ok(count)
    }
}

const ZEEK: &str = "#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n";
const ZEEK_ROW: &str = "1.5\t10.0.0.1\t4000\t10.0.0.2\t80\ttcp\tSF\n";
const JSON_ROW: &str =
    "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\",\"proto\":\"tcp\",\"conn_state\":\"SF\"}\n";
const EVE_ROW: &str = "{\"timestamp\":\"2021-06-06T15:57:37Z\",\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"proto\":\"UDP\",\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":1,\"bytes_toserver\":90,\"bytes_toclient\":90}}\n";
const ARGUS: &str = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,TotPkts,TotBytes,SrcBytes\n";
const ARGUS_ROW: &str = "2011/08/10 09:46:53.047277,1.5,udp,10.0.0.1,5000,  <->,10.0.0.2,53,CON,2,300,100\n";

#[test]
fn the_first_flow_is_handed_out_before_the_second_record_arrives() {
    for (header, row) in [(ZEEK, ZEEK_ROW), ("", JSON_ROW), ("", EVE_ROW), (ARGUS, ARGUS_ROW)] {
        let (send, sent) = channel();
        send.send(format!("{header}{row}").into_bytes()).expect("the pipe is open");
        let pipe = Pipe { sent, unread: Vec::new() };
        let mut reader =
            FlowReader::open("pipe", pipe, &ReadOptions::default()).expect("a flow log by its first record");
        // Nobody has sent a second record yet.
        assert!(matches!(reader.next(), Some(Ok(_))), "{row}");
        send.send(row.as_bytes().to_vec()).expect("the pipe is open");
        assert!(matches!(reader.next(), Some(Ok(_))), "{row}");
        drop(send);
        assert!(reader.next().is_none());
    }
}
