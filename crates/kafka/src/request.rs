//! Which answer a request has. The library knows it for those who serve as well, which would compile for half as long again.

use bytes::{Buf, Bytes};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, FindCoordinatorRequest,
    FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse,
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse, SyncGroupRequest,
};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};

/// A request of a client.
pub(crate) trait Request: Encodable + HeaderVersion {
    /// Its number in the protocol.
    const KEY: i16;
    /// What a broker answers.
    type Response: Decodable + HeaderVersion;
}

macro_rules! requests {
    ($($key:ident: $request:ident => $response:ident,)*) => {
        $(impl Request for $request {
            const KEY: i16 = ApiKey::$key as i16;
            type Response = $response;
        })*
    };
}

requests! {
    ApiVersions: ApiVersionsRequest => ApiVersionsResponse,
    Fetch: FetchRequest => FetchResponse,
    FindCoordinator: FindCoordinatorRequest => FindCoordinatorResponse,
    Heartbeat: HeartbeatRequest => HeartbeatResponse,
    JoinGroup: JoinGroupRequest => JoinGroupResponse,
    LeaveGroup: LeaveGroupRequest => LeaveGroupResponse,
    ListOffsets: ListOffsetsRequest => ListOffsetsResponse,
    Metadata: MetadataRequest => MetadataResponse,
    OffsetCommit: OffsetCommitRequest => OffsetCommitResponse,
    OffsetFetch: OffsetFetchRequest => OffsetFetchResponse,
    SaslAuthenticate: SaslAuthenticateRequest => SaslAuthenticateResponse,
    SaslHandshake: SaslHandshakeRequest => SaslHandshakeResponse,
    SyncGroup: SyncGroupRequest => Synced,
}

/// What the coordinator answers to `SyncGroup`, versions 1 to 3. The library refuses an error without an assignment, which the protocol
/// does not allow and the cluster within librdkafka 2.16 sends.
pub(crate) struct Synced {
    pub(crate) error_code: i16,
    pub(crate) assignment: Bytes,
}

impl HeaderVersion for Synced {
    fn header_version(_: i16) -> i16 {
        0
    }
}

impl Decodable for Synced {
    fn decode<B: ByteBuf>(buffer: &mut B, _: i16) -> anyhow::Result<Self> {
        // How long the coordinator held the request back.
        buffer.try_get_i32()?;
        let (error_code, length) = (buffer.try_get_i16()?, buffer.try_get_i32()?);
        let length = usize::try_from(length).unwrap_or(0);
        anyhow::ensure!(length <= buffer.remaining(), "an assignment that is cut off");
        Ok(Self { error_code, assignment: buffer.copy_to_bytes(length) })
    }
}
