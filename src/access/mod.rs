//! Accounts, tokens, roles.

mod permission;

pub use permission::{
    Administer, ApproveTitles, Can, DownloadBatches, IssueConventions, ManageCampaigns, ManageRegistry, Permission,
    PrepareTitles, Read, ReadTitles, RecordSignatures, SealBatches,
};
