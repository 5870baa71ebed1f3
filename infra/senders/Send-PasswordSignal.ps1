<#
.SYNOPSIS
Tells sessionstamp when a password in Active Directory was changed or reset, or a user disabled.

.DESCRIPTION
Reads the events 4723 (a user changed the password), 4724 (an administrator reset it) and
4725 (the account was disabled) from the Security log of this machine, and sends each of
them, signed as Standard Webhooks says. Events that can't be sent stay for the next run:
the script remembers the last one that was taken. It sends the user's SID, and no name.

A domain controller logs only what it has done itself. So install the script on each
domain controller that can be written to.

-Install makes a scheduled task of it, which runs as SYSTEM at each of these events and
every five minutes, and copies the script to %ProgramFiles%\sessionstamp. The secret is
stored there, encrypted for this machine (DPAPI), in a folder that only SYSTEM and
administrators can read. What came of the last run stands there too, in last-run.txt.

It needs Windows Server 2016 or later, with the Windows PowerShell that comes with it.

.PARAMETER Install
Asks for the secret, and installs the scheduled task. Needs -Url. Install again to change
either; the place in the log stays.

.PARAMETER Url
The address that "sessionstamp signal add ad" has printed.

.PARAMETER Uninstall
Removes the task, the secret and the folder.

.PARAMETER Test
Sends a heartbeat and says what came of it, and of the last run.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File .\Send-PasswordSignal.ps1 -Install -Url https://.../idp/...

.EXAMPLE
.\Send-PasswordSignal.ps1 -Test

.LINK
https://learn.microsoft.com/windows/security/threat-protection/auditing/event-4724

.LINK
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(DefaultParameterSetName = 'Send')]
param(
    [Parameter(ParameterSetName = 'Install', Mandatory)][switch]$Install,
    [Parameter(ParameterSetName = 'Install', Mandatory)][string]$Url,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory)][switch]$Uninstall,
    [Parameter(ParameterSetName = 'Test', Mandatory)][switch]$Test
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
Add-Type -AssemblyName System.Security

$TaskName = 'sessionstamp'
# Not ProgramData: there every user may make a folder, and SYSTEM runs what is in this one.
$Folder = Join-Path $env:ProgramFiles 'sessionstamp'
$SettingsFile = Join-Path $Folder 'settings.json'
$PlaceFile = Join-Path $Folder 'last-record.txt'
$TakenFile = Join-Path $Folder 'last-taken.txt'
$OutcomeFile = Join-Path $Folder 'last-run.txt'
$LeftOutFile = Join-Path $Folder 'left-out.txt'
# Successful ones only: 0x20000000000000 is "audit success".
$Condition = '(EventID=4723 or EventID=4724 or EventID=4725) and band(Keywords,9007199254740992)'
$Types = @{ 4723 = 'user.password_changed'; 4724 = 'user.password_reset'; 4725 = 'user.disabled' }

function Protect-Text([string]$Text) {
    $bytes = [Text.Encoding]::UTF8.GetBytes($Text)
    [Convert]::ToBase64String([Security.Cryptography.ProtectedData]::Protect($bytes, $null, 'LocalMachine'))
}

function Unprotect-Text([string]$Text) {
    $bytes = [Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String($Text), $null, 'LocalMachine')
    [Text.Encoding]::UTF8.GetString($bytes)
}

# The key of a secret: whsec_ and base64 of 24 to 64 bytes.
function ConvertTo-Key([string]$Secret) {
    try { $key = [Convert]::FromBase64String(($Secret.Trim() -replace '^whsec_', '')) } catch { $key = @() }
    if ($key.Length -lt 24 -or $key.Length -gt 64) { throw 'The secret is not whsec_ and base64 of 24 to 64 bytes: copy all of what "sessionstamp signal add ad" has printed.' }
    , [byte[]]$key
}

# A time as the receiver reads it, whatever calendar and separators this machine has.
function ConvertTo-Timestamp([DateTime]$Time) {
    $Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

function Get-Settings {
    if (-not (Test-Path $SettingsFile)) { throw "It is not installed on this machine. Run: $PSCommandPath -Install -Url https://..." }
    $settings = Get-Content -Raw -Path $SettingsFile | ConvertFrom-Json
    @{ Url = $settings.Url; Key = ConvertTo-Key (Unprotect-Text $settings.Secret) }
}

# Sends one body. An id that was sent before names the same event again, which is harmless.
# The receiver answers 204 and nothing else: a proxy that says 200 has taken nothing.
function Send-Body($Settings, [string]$Id, $Body) {
    $json = $Body | ConvertTo-Json -Depth 5 -Compress
    $timestamp = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
    $hmac = [Security.Cryptography.HMACSHA256]::new([byte[]]$Settings.Key)
    $signature = [Convert]::ToBase64String($hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes("$Id.$timestamp.$json")))
    $headers = @{ 'webhook-id' = $Id; 'webhook-timestamp' = "$timestamp"; 'webhook-signature' = "v1,$signature" }
    $answer = Invoke-WebRequest -UseBasicParsing -Method Post -Uri $Settings.Url -Headers $headers -TimeoutSec 20 -MaximumRedirection 0 `
        -ContentType 'application/json' -Body ([Text.Encoding]::UTF8.GetBytes($json))
    if ($answer.StatusCode -ne 204) { throw "Something else answers at the address (status $($answer.StatusCode)): look for a proxy in between." }
}

function Send-Ping($Settings) {
    Send-Body $Settings ('ping-' + [Guid]::NewGuid().ToString('N')) @{ type = 'test.ping'; timestamp = ConvertTo-Timestamp ([DateTime]::UtcNow); data = @{} }
}

# The status of an answer that Invoke-WebRequest took for an error; 0 without an answer.
function Get-Status($ErrorRecord) {
    $exception = $ErrorRecord.Exception
    if ($exception -is [Net.WebException] -and $exception.Response) { [int]$exception.Response.StatusCode } else { 0 }
}

# The signal that an event stands for; nothing for a computer's account.
function ConvertTo-Signal($Record) {
    $data = @{}
    foreach ($node in ([xml]$Record.ToXml()).Event.EventData.ChildNodes) { $data[$node.GetAttribute('Name')] = $node.InnerText }
    if ($data['TargetUserName'] -like '*$' -or $data['TargetSid'] -notlike 'S-1-5-21-*') { return }
    $actor = if ($data['SubjectUserSid'] -eq $data['TargetSid']) { 'user' } else { 'admin' }
    @{
        type      = $Types[[int]$Record.Id]
        timestamp = ConvertTo-Timestamp $Record.TimeCreated
        data      = @{ actor = $actor; subject = @{ format = 'security_identifier'; value = $data['TargetSid'] } }
    }
}

# The same for an event whenever it is read. It has no full stop.
function Get-EventId($Record) {
    $sha = [Security.Cryptography.SHA256]::Create()
    $text = '{0}|{1}|{2:o}' -f $Record.MachineName, $Record.RecordId, $Record.TimeCreated.ToUniversalTime()
    'ad-' + [BitConverter]::ToString($sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))).Replace('-', '').ToLowerInvariant()
}

# The records of the Security log that a query finds, newest first, until one is met that
# is not newer than a place. What is read is all that is looked at: a log may have gigabytes.
function Read-Log([string]$XPath, [long]$Place) {
    $query = [Diagnostics.Eventing.Reader.EventLogQuery]::new('Security', [Diagnostics.Eventing.Reader.PathType]::LogName, $XPath)
    $query.ReverseDirection = $true
    $reader = [Diagnostics.Eventing.Reader.EventLogReader]::new($query)
    try { while (($record = $reader.ReadEvent()) -and $record.RecordId -gt $Place) { $record } }
    finally { $reader.Dispose() }
}

function Get-Newest {
    $newest = Read-Log '*' 0 | Select-Object -First 1
    if ($newest) { [long]$newest.RecordId } else { [long]0 }
}

# The place in the log. If the file is gone or broken, all that the log has is sent again.
function Get-Place([long]$Newest) {
    $place = (Get-Content -Path $PlaceFile -ErrorAction SilentlyContinue | Select-Object -First 1) -as [long]
    if (-not $place -or $Newest -lt $place) { return [long]0 } # a log that was cleared may count from 1 again
    $place
}

# Sends one event; tells whether it was taken. One that is refused as it is would stand
# before all others for ever, so it is left out, but only if a heartbeat is taken: else
# everything is refused, and nothing is lost.
function Send-Event($Settings, $Record) {
    try { $body = ConvertTo-Signal $Record } catch { Add-LeftOut $Record 'unreadable'; return $false }
    if (-not $body) { return $false }
    try { Send-Body $Settings (Get-EventId $Record) $body }
    catch {
        if ((Get-Status $_) -notin 400, 413) { throw }
        Send-Ping $Settings
        Add-LeftOut $Record 'refused'
        return $false
    }
    $true
}

function Add-LeftOut($Record, [string]$Why) {
    Add-Content -Path $LeftOutFile -Value "$(ConvertTo-Timestamp ([DateTime]::UtcNow)) $Why record $($Record.RecordId)"
}

# Sends all that is pending, oldest first. What can't be sent ends the run: the place
# stays, and the next run begins here.
function Send-Pending {
    $settings = Get-Settings
    $sent = 0
    do {
        $newest = Get-Newest
        $place = Get-Place $newest
        # The record at the place is asked for too, so that reading ends there.
        $pending = @(Read-Log "*[System[($Condition) or EventRecordID=$place]]" $place)
        [array]::Reverse($pending)
        foreach ($record in $pending) {
            if (Send-Event $settings $record) { $sent++ }
            Set-Content -Path $PlaceFile -Value $record.RecordId
            $place = $record.RecordId
        }
        if ($newest -gt $place) { Set-Content -Path $PlaceFile -Value $newest }
    } while ($pending.Count -gt 0)
    # A heartbeat once an hour, so that silence can be told from quiet.
    $taken = Get-Item -Path $TakenFile -ErrorAction SilentlyContinue
    $quiet = -not $taken -or $taken.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddMinutes(-55)
    if ($sent -eq 0 -and $quiet) { Send-Ping $settings }
    if ($sent -gt 0 -or $quiet) { Set-Content -Path $TakenFile -Value (ConvertTo-Timestamp ([DateTime]::UtcNow)) }
    $leftOut = @(Get-Content -Path $LeftOutFile -ErrorAction SilentlyContinue).Count
    Write-Outcome "$sent sent.$(if ($leftOut -gt 0) { " Left out so far: $leftOut, see $LeftOutFile" })"
}

function Write-Outcome([string]$Text) {
    Write-Output $Text
    if ($PSCmdlet.ParameterSetName -eq 'Send' -and (Test-Path $Folder)) { Set-Content -Path $OutcomeFile -Value "$(ConvertTo-Timestamp ([DateTime]::UtcNow)) $Text" }
}

function Install-Sender {
    if ($Url -notmatch '^https://') { throw 'The address must begin with https://.' }
    $secure = Read-Host -AsSecureString 'Secret that "sessionstamp signal add ad" has printed (whsec_...)'
    $secret = (New-Object Management.Automation.PSCredential 'secret', $secure).GetNetworkCredential().Password
    Send-Ping @{ Url = $Url; Key = ConvertTo-Key $secret } # before anything is installed

    New-Item -ItemType Directory -Force -Path $Folder | Out-Null
    # SYSTEM and the local Administrators, by their well-known SIDs: their names are translated.
    & icacls.exe $Folder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "The folder $Folder can't be protected: see who owns it." }
    $script = Join-Path $Folder 'Send-PasswordSignal.ps1'
    if ($PSCommandPath -ne $script) { Copy-Item -Force -Path $PSCommandPath -Destination $script }
    @{ Url = $Url; Secret = Protect-Text $secret } | ConvertTo-Json | Set-Content -Path $SettingsFile
    if (-not (Test-Path $PlaceFile)) { Set-Content -Path $PlaceFile -Value (Get-Newest) } # an old log is nobody's news
    Register-Sender $script
    Write-Output 'Installed. The heartbeat was taken; each event is sent when it comes.'
    Write-Output 'See that "Audit User Account Management" logs success: auditpol /get /subcategory:"{0CCE9235-69AE-11D9-BED3-505054503030}"'
}

function Register-Sender([string]$Script) {
    $shell = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $action = New-ScheduledTaskAction -Execute $shell -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$Script`""
    $class = Get-CimClass -ClassName MSFT_TaskEventTrigger -Namespace Root/Microsoft/Windows/TaskScheduler
    $onEvent = New-CimInstance -CimClass $class -ClientOnly
    $onEvent.Enabled = $true
    $onEvent.Subscription = "<QueryList><Query Id='0' Path='Security'><Select Path='Security'>*[System[$Condition]]</Select></Query></QueryList>"
    $regularly = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Minutes 5)
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    # IgnoreNew: a thousand events start one run, which goes on until nothing is pending. What
    # comes at its very end is found within five minutes.
    $settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Hours 1)
    Register-ScheduledTask -Force -TaskName $TaskName -Action $action -Trigger $onEvent, $regularly -Principal $principal -Settings $settings `
        -Description 'Tells sessionstamp of changed passwords and disabled users.' | Out-Null
}

function Uninstall-Sender {
    Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false -ErrorAction SilentlyContinue
    Remove-Item -Recurse -Force -Path $Folder -ErrorAction SilentlyContinue
    Write-Output 'Removed. Now remove the source: sessionstamp signal remove NAME'
}

# What to do about an error, in one sentence.
function Get-Advice($ErrorRecord) {
    switch (Get-Status $ErrorRecord) {
        401 { 'Refused (401): the secret is another one, or the clock of this machine is wrong by more than five minutes.' }
        404 { 'Refused (404): there is no such source. "sessionstamp signal list" shows those there are.' }
        400 { 'Refused (400): something in between changes what is sent, such as a proxy.' }
        default { $ErrorRecord.Exception.Message }
    }
}

try {
    switch ($PSCmdlet.ParameterSetName) {
        'Install' { Install-Sender }
        'Uninstall' { Uninstall-Sender }
        'Test' {
            Send-Ping (Get-Settings)
            Write-Output 'The heartbeat was taken.'
            if (Test-Path $OutcomeFile) { Write-Output "Last run: $(Get-Content -Path $OutcomeFile)" }
        }
        'Send' { Send-Pending }
    }
}
catch {
    $advice = Get-Advice $_
    Write-Outcome "Failed. $advice" | Out-Null
    Write-Error -ErrorAction Continue $advice
    exit 1
}
