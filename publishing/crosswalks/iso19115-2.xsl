<?xml version="1.0" encoding="UTF-8"?>
<!-- ISO 19115-2 (gmi) of a cruise, or of one of its file sets when $fileset names it. Coordinates in the track are
     longitude latitude, as the R2R cruise records have them. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:r="urn:leadline:cruise-record:1" exclude-result-prefixes="r"
                xmlns:gmi="http://www.isotc211.org/2005/gmi" xmlns:gmd="http://www.isotc211.org/2005/gmd"
                xmlns:gco="http://www.isotc211.org/2005/gco" xmlns:gml="http://www.opengis.net/gml/3.2"
                xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes"/>
  <xsl:param name="fileset"/>
  <xsl:param name="datestamp"/>
  <xsl:variable name="lists">http://www.isotc211.org/2005/resources/Codelist/gmxCodelists.xml#</xsl:variable>
  <xsl:variable name="cruise" select="/r:cruiserecord/r:cruise"/>
  <xsl:variable name="set" select="/r:cruiserecord/r:filesets/r:fileset[r:id = $fileset]"/>

  <xsl:template match="/r:cruiserecord">
    <gmi:MI_Metadata xsi:schemaLocation="http://www.isotc211.org/2005/gmi https://www.ngdc.noaa.gov/metadata/published/xsd/schema.xsd">
      <gmd:fileIdentifier><gco:CharacterString>
        <xsl:choose>
          <xsl:when test="$set"><xsl:value-of select="concat($cruise/r:id, '_', $set/r:id)"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="$cruise/r:id"/></xsl:otherwise>
        </xsl:choose>
      </gco:CharacterString></gmd:fileIdentifier>
      <gmd:language><gco:CharacterString>eng</gco:CharacterString></gmd:language>
      <gmd:characterSet><xsl:call-template name="code"><xsl:with-param name="list">MD_CharacterSetCode</xsl:with-param><xsl:with-param name="value">utf8</xsl:with-param></xsl:call-template></gmd:characterSet>
      <xsl:if test="$set"><gmd:parentIdentifier><gco:CharacterString><xsl:value-of select="$cruise/r:id"/></gco:CharacterString></gmd:parentIdentifier></xsl:if>
      <gmd:hierarchyLevel>
        <xsl:call-template name="code">
          <xsl:with-param name="list">MD_ScopeCode</xsl:with-param>
          <xsl:with-param name="value"><xsl:choose><xsl:when test="$set">dataset</xsl:when><xsl:otherwise>fieldSession</xsl:otherwise></xsl:choose></xsl:with-param>
        </xsl:call-template>
      </gmd:hierarchyLevel>
      <gmd:hierarchyLevelName><gco:CharacterString>
        <xsl:choose><xsl:when test="$set">file set level metadata</xsl:when><xsl:otherwise>cruise level metadata</xsl:otherwise></xsl:choose>
      </gco:CharacterString></gmd:hierarchyLevelName>
      <gmd:contact>
        <gmd:CI_ResponsibleParty>
          <gmd:organisationName><gco:CharacterString><xsl:value-of select="r:provenance/r:repository"/></gco:CharacterString></gmd:organisationName>
          <gmd:contactInfo><gmd:CI_Contact><gmd:address><gmd:CI_Address><gmd:electronicMailAddress><gco:CharacterString><xsl:value-of select="r:provenance/r:contact_email"/></gco:CharacterString></gmd:electronicMailAddress></gmd:CI_Address></gmd:address></gmd:CI_Contact></gmd:contactInfo>
          <gmd:role><xsl:call-template name="role"><xsl:with-param name="value">pointOfContact</xsl:with-param></xsl:call-template></gmd:role>
        </gmd:CI_ResponsibleParty>
      </gmd:contact>
      <gmd:dateStamp><gco:DateTime><xsl:value-of select="$datestamp"/></gco:DateTime></gmd:dateStamp>
      <gmd:metadataStandardName><gco:CharacterString>ISO 19115-2 Geographic Information - Metadata - Part 2: Extensions for imagery and gridded data</gco:CharacterString></gmd:metadataStandardName>
      <gmd:metadataStandardVersion><gco:CharacterString>ISO 19115-2:2009(E)</gco:CharacterString></gmd:metadataStandardVersion>
      <gmd:identificationInfo><xsl:call-template name="identification"/></gmd:identificationInfo>
      <gmd:distributionInfo><xsl:call-template name="distribution"/></gmd:distributionInfo>
      <xsl:if test="not($set)">
        <gmd:dataQualityInfo><xsl:call-template name="quality"/></gmd:dataQualityInfo>
      </xsl:if>
      <gmi:acquisitionInformation><xsl:call-template name="acquisition"/></gmi:acquisitionInformation>
    </gmi:MI_Metadata>
  </xsl:template>

  <xsl:template name="identification">
    <gmd:MD_DataIdentification>
      <gmd:citation>
        <gmd:CI_Citation>
          <gmd:title><gco:CharacterString>
            <xsl:if test="$set"><xsl:value-of select="concat($set/r:name, ', ')"/></xsl:if>
            <xsl:value-of select="concat('Cruise ', $cruise/r:id, ' on ', $cruise/r:vessel_name)"/>
            <xsl:if test="not($set)"><xsl:value-of select="concat(': ', $cruise/r:cname)"/></xsl:if>
          </gco:CharacterString></gmd:title>
          <gmd:date>
            <gmd:CI_Date>
              <gmd:date><gco:Date><xsl:choose><xsl:when test="$cruise/r:date_issued"><xsl:value-of select="substring($cruise/r:date_issued, 1, 10)"/></xsl:when><xsl:otherwise><xsl:value-of select="$cruise/r:arrive_date"/></xsl:otherwise></xsl:choose></gco:Date></gmd:date>
              <gmd:dateType><xsl:call-template name="code"><xsl:with-param name="list">CI_DateTypeCode</xsl:with-param><xsl:with-param name="value">publication</xsl:with-param></xsl:call-template></gmd:dateType>
            </gmd:CI_Date>
          </gmd:date>
          <xsl:for-each select="$cruise[not($set)]/r:doi | $set/r:doi">
            <gmd:identifier><gmd:MD_Identifier><gmd:code><gco:CharacterString><xsl:value-of select="concat('doi:', .)"/></gco:CharacterString></gmd:code></gmd:MD_Identifier></gmd:identifier>
          </xsl:for-each>
        </gmd:CI_Citation>
      </gmd:citation>
      <gmd:abstract><gco:CharacterString>
        <xsl:choose>
          <xsl:when test="$set"><xsl:value-of select="concat($set/r:files, ' files, ', $set/r:bytes, ' bytes, ', $set/r:proclevel, ' data. ', $cruise/r:cname)"/></xsl:when>
          <xsl:when test="$cruise/r:summary"><xsl:value-of select="$cruise/r:summary"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="$cruise/r:cname"/></xsl:otherwise>
        </xsl:choose>
      </gco:CharacterString></gmd:abstract>
      <gmd:purpose><gco:CharacterString><xsl:value-of select="$cruise/r:cname"/></gco:CharacterString></gmd:purpose>
      <gmd:status><xsl:call-template name="code"><xsl:with-param name="list">MD_ProgressCode</xsl:with-param><xsl:with-param name="value">completed</xsl:with-param></xsl:call-template></gmd:status>
      <xsl:for-each select="$cruise/r:party/r:person[starts-with(r:role, 'scientist_')]">
        <gmd:pointOfContact>
          <gmd:CI_ResponsibleParty>
            <gmd:individualName><gco:CharacterString><xsl:value-of select="r:family_name"/><xsl:for-each select="r:given_name"><xsl:value-of select="concat(', ', .)"/></xsl:for-each></gco:CharacterString></gmd:individualName>
            <xsl:for-each select="r:institution"><gmd:organisationName><gco:CharacterString><xsl:value-of select="."/></gco:CharacterString></gmd:organisationName></xsl:for-each>
            <gmd:positionName><gco:CharacterString><xsl:value-of select="r:role_name"/></gco:CharacterString></gmd:positionName>
            <gmd:role><xsl:call-template name="role"><xsl:with-param name="value">principalInvestigator</xsl:with-param></xsl:call-template></gmd:role>
          </gmd:CI_ResponsibleParty>
        </gmd:pointOfContact>
      </xsl:for-each>
      <gmd:descriptiveKeywords>
        <gmd:MD_Keywords>
          <gmd:keyword><gco:CharacterString>EARTH SCIENCE &gt; OCEANS</gco:CharacterString></gmd:keyword>
          <gmd:type><xsl:call-template name="code"><xsl:with-param name="list">MD_KeywordTypeCode</xsl:with-param><xsl:with-param name="value">theme</xsl:with-param></xsl:call-template></gmd:type>
        </gmd:MD_Keywords>
      </gmd:descriptiveKeywords>
      <gmd:resourceConstraints>
        <gmd:MD_Constraints><gmd:useLimitation><gco:CharacterString>Data are not to be used for navigation.</gco:CharacterString></gmd:useLimitation></gmd:MD_Constraints>
      </gmd:resourceConstraints>
      <xsl:for-each select="$set/r:licence">
        <gmd:resourceConstraints>
          <gmd:MD_LegalConstraints>
            <gmd:useConstraints><xsl:call-template name="code"><xsl:with-param name="list">MD_RestrictionCode</xsl:with-param><xsl:with-param name="value">license</xsl:with-param></xsl:call-template></gmd:useConstraints>
            <gmd:otherConstraints><gco:CharacterString><xsl:value-of select="."/></gco:CharacterString></gmd:otherConstraints>
          </gmd:MD_LegalConstraints>
        </gmd:resourceConstraints>
      </xsl:for-each>
      <gmd:language><gco:CharacterString>eng</gco:CharacterString></gmd:language>
      <gmd:topicCategory><gmd:MD_TopicCategoryCode>oceans</gmd:MD_TopicCategoryCode></gmd:topicCategory>
      <gmd:topicCategory><gmd:MD_TopicCategoryCode>geoscientificInformation</gmd:MD_TopicCategoryCode></gmd:topicCategory>
      <gmd:extent>
        <gmd:EX_Extent id="boundingExtent">
          <xsl:for-each select="$cruise/r:extent">
            <gmd:geographicElement>
              <gmd:EX_GeographicBoundingBox>
                <gmd:westBoundLongitude><gco:Decimal><xsl:value-of select="r:westernmost"/></gco:Decimal></gmd:westBoundLongitude>
                <gmd:eastBoundLongitude><gco:Decimal><xsl:value-of select="r:easternmost"/></gco:Decimal></gmd:eastBoundLongitude>
                <gmd:southBoundLatitude><gco:Decimal><xsl:value-of select="r:southernmost"/></gco:Decimal></gmd:southBoundLatitude>
                <gmd:northBoundLatitude><gco:Decimal><xsl:value-of select="r:northernmost"/></gco:Decimal></gmd:northBoundLatitude>
              </gmd:EX_GeographicBoundingBox>
            </gmd:geographicElement>
          </xsl:for-each>
          <gmd:temporalElement>
            <gmd:EX_TemporalExtent><gmd:extent>
              <gml:TimePeriod gml:id="cruisePeriod">
                <gml:beginPosition><xsl:value-of select="$cruise/r:depart_date"/></gml:beginPosition>
                <gml:endPosition><xsl:value-of select="$cruise/r:arrive_date"/></gml:endPosition>
              </gml:TimePeriod>
            </gmd:extent></gmd:EX_TemporalExtent>
          </gmd:temporalElement>
        </gmd:EX_Extent>
      </gmd:extent>
      <xsl:if test="/r:cruiserecord/r:track/r:line">
        <gmd:extent>
          <gmd:EX_Extent id="cruiseCoordinates">
            <gmd:geographicElement>
              <gmd:EX_BoundingPolygon>
                <gmd:polygon>
                  <gml:MultiCurve gml:id="cruiseTrack" srsName="EPSG:4326" srsDimension="2">
                    <xsl:for-each select="/r:cruiserecord/r:track/r:line">
                      <gml:curveMember>
                        <gml:Curve gml:id="cruiseTrack.{position()}">
                          <gml:segments><gml:LineStringSegment><gml:posList><xsl:value-of select="."/></gml:posList></gml:LineStringSegment></gml:segments>
                        </gml:Curve>
                      </gml:curveMember>
                    </xsl:for-each>
                  </gml:MultiCurve>
                </gmd:polygon>
              </gmd:EX_BoundingPolygon>
            </gmd:geographicElement>
          </gmd:EX_Extent>
        </gmd:extent>
      </xsl:if>
      <gmd:extent>
        <gmd:EX_Extent id="ports">
          <xsl:for-each select="$cruise/r:depart_port | $cruise/r:arrive_port">
            <gmd:geographicElement>
              <gmd:EX_GeographicDescription>
                <gmd:geographicIdentifier><gmd:MD_Identifier><gmd:code><gco:CharacterString>
                  <xsl:value-of select="r:port_name"/><xsl:for-each select="r:country_id"><xsl:value-of select="concat(', ', .)"/></xsl:for-each>
                </gco:CharacterString></gmd:code></gmd:MD_Identifier></gmd:geographicIdentifier>
              </gmd:EX_GeographicDescription>
            </gmd:geographicElement>
          </xsl:for-each>
        </gmd:EX_Extent>
      </gmd:extent>
    </gmd:MD_DataIdentification>
  </xsl:template>

  <xsl:template name="distribution">
    <gmd:MD_Distribution>
      <gmd:transferOptions>
        <gmd:MD_DigitalTransferOptions>
          <xsl:call-template name="online">
            <xsl:with-param name="url"><xsl:choose><xsl:when test="$set"><xsl:value-of select="$set/r:landing_page"/></xsl:when><xsl:otherwise><xsl:value-of select="r:provenance/r:landing_page"/></xsl:otherwise></xsl:choose></xsl:with-param>
            <xsl:with-param name="name">landing page</xsl:with-param>
            <xsl:with-param name="function">information</xsl:with-param>
          </xsl:call-template>
          <xsl:for-each select="$set/r:archive/r:landing_url">
            <xsl:call-template name="online">
              <xsl:with-param name="url" select="."/>
              <xsl:with-param name="name" select="concat(../r:name, ' accession ', ../r:accession, ' version ', ../r:version)"/>
              <xsl:with-param name="function">download</xsl:with-param>
            </xsl:call-template>
          </xsl:for-each>
        </gmd:MD_DigitalTransferOptions>
      </gmd:transferOptions>
    </gmd:MD_Distribution>
  </xsl:template>

  <xsl:template name="online">
    <xsl:param name="url"/>
    <xsl:param name="name"/>
    <xsl:param name="function"/>
    <gmd:onLine>
      <gmd:CI_OnlineResource>
        <gmd:linkage><gmd:URL><xsl:value-of select="$url"/></gmd:URL></gmd:linkage>
        <gmd:name><gco:CharacterString><xsl:value-of select="$name"/></gco:CharacterString></gmd:name>
        <gmd:function><xsl:call-template name="code"><xsl:with-param name="list">CI_OnLineFunctionCode</xsl:with-param><xsl:with-param name="value" select="$function"/></xsl:call-template></gmd:function>
      </gmd:CI_OnlineResource>
    </gmd:onLine>
  </xsl:template>

  <xsl:template name="quality">
    <gmd:DQ_DataQuality>
      <gmd:scope><gmd:DQ_Scope><gmd:level><xsl:call-template name="code"><xsl:with-param name="list">MD_ScopeCode</xsl:with-param><xsl:with-param name="value">collectionSession</xsl:with-param></xsl:call-template></gmd:level></gmd:DQ_Scope></gmd:scope>
      <gmd:lineage>
        <gmd:LI_Lineage>
          <gmd:statement><gco:CharacterString>
            <xsl:text>Original field data as delivered by the operator of the vessel; every file compared with the delivered manifest.</xsl:text>
            <xsl:for-each select="r:distribution/r:count"><xsl:value-of select="concat(' ', @state, ': ', ., '.')"/></xsl:for-each>
          </gco:CharacterString></gmd:statement>
          <xsl:for-each select="r:filesets/r:fileset">
            <gmd:source>
              <gmd:LI_Source>
                <gmd:description><gco:CharacterString><xsl:value-of select="concat(r:name, ', ', r:proclevel, ', ', r:files, ' files')"/></gco:CharacterString></gmd:description>
              </gmd:LI_Source>
            </gmd:source>
          </xsl:for-each>
        </gmd:LI_Lineage>
      </gmd:lineage>
    </gmd:DQ_DataQuality>
  </xsl:template>

  <xsl:template name="acquisition">
    <gmi:MI_AcquisitionInformation>
      <xsl:for-each select="($set | r:filesets/r:fileset[not($set)])/r:device">
        <gmi:instrument>
          <gmi:MI_Instrument>
            <gmi:identifier><gmd:MD_Identifier><gmd:code><gco:CharacterString><xsl:value-of select="../r:id"/></gco:CharacterString></gmd:code></gmd:MD_Identifier></gmi:identifier>
            <gmi:type><gco:CharacterString><xsl:value-of select="r:devicetype_name"/></gco:CharacterString></gmi:type>
            <gmi:description><gco:CharacterString><xsl:value-of select="../r:name"/></gco:CharacterString></gmi:description>
          </gmi:MI_Instrument>
        </gmi:instrument>
      </xsl:for-each>
      <gmi:platform>
        <gmi:MI_Platform>
          <gmi:identifier><gmd:MD_Identifier><gmd:code><gco:CharacterString><xsl:value-of select="$cruise/r:vessel_id"/></gco:CharacterString></gmd:code></gmd:MD_Identifier></gmi:identifier>
          <gmi:description><gco:CharacterString><xsl:value-of select="concat('SHIP &gt; ', $cruise/r:vessel_name)"/></gco:CharacterString></gmi:description>
          <gmi:sponsor>
            <gmd:CI_ResponsibleParty>
              <gmd:organisationName><gco:CharacterString><xsl:value-of select="$cruise/r:operator_name"/></gco:CharacterString></gmd:organisationName>
              <gmd:role><xsl:call-template name="role"><xsl:with-param name="value">owner</xsl:with-param></xsl:call-template></gmd:role>
            </gmd:CI_ResponsibleParty>
          </gmi:sponsor>
          <gmi:instrument gco:nilReason="inapplicable"/>
        </gmi:MI_Platform>
      </gmi:platform>
    </gmi:MI_AcquisitionInformation>
  </xsl:template>

  <xsl:template name="role">
    <xsl:param name="value"/>
    <xsl:call-template name="code"><xsl:with-param name="list">CI_RoleCode</xsl:with-param><xsl:with-param name="value" select="$value"/></xsl:call-template>
  </xsl:template>

  <xsl:template name="code">
    <xsl:param name="list"/>
    <xsl:param name="value"/>
    <xsl:element name="gmd:{$list}">
      <xsl:attribute name="codeList"><xsl:value-of select="concat($lists, $list)"/></xsl:attribute>
      <xsl:attribute name="codeListValue"><xsl:value-of select="$value"/></xsl:attribute>
      <xsl:value-of select="$value"/>
    </xsl:element>
  </xsl:template>
</xsl:stylesheet>
