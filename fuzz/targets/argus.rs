#![no_main]
//! Rows of Argus flow records.

const HEAD: &[u8] = b"StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(HEAD, bytes));
