drop view credentials;
drop table attempts;
drop table personal_tokens;
